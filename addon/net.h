// SPDX-License-Identifier: GPL-2.0
// Making sockets. Every function gives a descriptor (O_CLOEXEC), or -1 and says why in "failure".
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <string>

#include "failure.h"

namespace ntrace
{

// host: IPv4 or IPv6 (brackets allowed), or a name; its addresses are tried in turn, IPv4 first.
int listen_tcp(const std::string &host, int port, Failure &failure);
int connect_tcp(const std::string &host, int port, Failure &failure);

// Replaces a socket file that nobody listens on. mode: permission bits of the file.
int listen_unix(const std::string &path, mode_t mode, Failure &failure);
int connect_unix(const std::string &path, Failure &failure);

struct Peer {
	std::string host; // empty for Unix sockets
	int port;
	std::string text; // "HOST:PORT", "[HOST]:PORT" or "unix:pid=N,uid=N"
};

Peer peer_of(int fd);
int local_port(int fd);
// No delay, and keepalive, so that a vanished client is noticed.
void tune_tcp(int fd);

} // namespace ntrace
