// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace ntrace
{

namespace
{

constexpr int kBacklog = 16;

struct Address {
	sockaddr_storage storage;
	socklen_t length;
	sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage); }
};

std::string remedy_for(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another program has this port: end it, or take port 0 for any free one";
	case EADDRNOTAVAIL:
		return "no interface of this machine has this address";
	case EACCES:
		return "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE";
	case ECONNREFUSED:
		return "nobody listens there";
	default:
		return "";
	}
}

std::vector<Address> resolve(std::string host, int port, bool passive, Failure &failure)
{
	if (host.size() > 2 && host.front() == '[' && host.back() == ']')
		host = host.substr(1, host.size() - 2);
	addrinfo hints = {}, *found = nullptr;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV | (passive ? AI_PASSIVE : 0);
	std::vector<Address> result;
	if (host.empty() || port < 0 || port > 65535) {
		failure = {"EINVAL", "a host and a port from 0 to 65535 are needed"};
		return result;
	}
	int err = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
	if (err == EAI_SYSTEM) {
		failure = Failure::of(errno, "resolving " + host);
		return result;
	}
	if (err) {
		failure = {"ENOTFOUND", std::string(gai_strerror(err)) + ", resolving " + host};
		return result;
	}
	for (addrinfo *a = found; a; a = a->ai_next) {
		Address address = {};
		memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
		address.length = a->ai_addrlen;
		result.push_back(address);
	}
	freeaddrinfo(found);
	std::stable_sort(result.begin(), result.end(), [](const Address &a, const Address &b) {
		return (a.storage.ss_family == AF_INET) > (b.storage.ss_family == AF_INET);
	});
	return result;
}

// connect() that a signal cannot cut short
int connect_fully(int fd, sockaddr *address, socklen_t length)
{
	if (connect(fd, address, length) == 0)
		return 0;
	if (errno != EINTR)
		return -1;
	pollfd p = {fd, POLLOUT, 0};
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	int error = 0;
	socklen_t size = sizeof(error);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	errno = error;
	return error ? -1 : 0;
}

bool unix_address(const std::string &path, Address &address, Failure &failure)
{
	auto *un = reinterpret_cast<sockaddr_un *>(&address.storage);
	if (path.empty() || path.size() >= sizeof(un->sun_path)) {
		failure = Failure::of(path.empty() ? EINVAL : ENAMETOOLONG, "socket " + path,
				      "1 to 107 bytes are possible");
		return false;
	}
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path.c_str(), path.size() + 1);
	address.length = socklen_t(sizeof(*un));
	return true;
}

bool is_stale(const std::string &path, Address &address)
{
	struct stat st;
	if (lstat(path.c_str(), &st) || !S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused = connect(fd, address.get(), address.length) && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

} // namespace

int listen_tcp(const std::string &host, int port, Failure &failure)
{
	for (Address &address : resolve(host, port, true, failure)) {
		int one = 1;
		int fd = socket(address.storage.ss_family,
				SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
		    !bind(fd, address.get(), address.length) && !listen(fd, kBacklog))
			return fd;
		failure = Failure::of(errno, "listen " + host + ":" + std::to_string(port),
				      remedy_for(errno));
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

int connect_tcp(const std::string &host, int port, Failure &failure)
{
	for (Address &address : resolve(host, port, false, failure)) {
		int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !connect_fully(fd, address.get(), address.length)) {
			tune_tcp(fd);
			return fd;
		}
		failure = Failure::of(errno, "connect " + host + ":" + std::to_string(port),
				      remedy_for(errno));
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

int listen_unix(const std::string &path, mode_t mode, Failure &failure)
{
	Address address = {};
	if (!unix_address(path, address, failure))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	// the file is made with the socket's mode less the umask: never wider than asked for
	if (fd >= 0 && !fchmod(fd, mode)) {
		int err = bind(fd, address.get(), address.length);
		if (err && errno == EADDRINUSE && is_stale(path, address)) {
			unlink(path.c_str());
			err = bind(fd, address.get(), address.length);
		}
		if (!err && !chmod(path.c_str(), mode) && !listen(fd, kBacklog))
			return fd;
	}
	failure = Failure::of(errno, "listen " + path,
			      errno == EADDRINUSE ? "the file exists and is in use, or is no socket"
						  : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

int connect_unix(const std::string &path, Failure &failure)
{
	Address address = {};
	if (!unix_address(path, address, failure))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect_fully(fd, address.get(), address.length))
		return fd;
	failure = Failure::of(errno, "connect " + path, remedy_for(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

Peer peer_of(int fd)
{
	Address address = {};
	address.length = sizeof(address.storage);
	getpeername(fd, address.get(), &address.length);
	if (address.storage.ss_family == AF_UNIX) {
		ucred cred = {};
		socklen_t size = sizeof(cred);
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
		return {"", 0,
			"unix:pid=" + std::to_string(cred.pid) +
			    ",uid=" + std::to_string(cred.uid)};
	}
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (getnameinfo(address.get(), address.length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return {"", 0, "unknown"};
	std::string name = host;
	if (name.rfind("::ffff:", 0) == 0 && name.find('.') != std::string::npos)
		name = name.substr(7);
	bool v6 = name.find(':') != std::string::npos;
	return {name, atoi(port), (v6 ? "[" + name + "]" : name) + ":" + port};
}

int local_port(int fd)
{
	Address address = {};
	address.length = sizeof(address.storage);
	if (getsockname(fd, address.get(), &address.length))
		return 0;
	if (address.storage.ss_family == AF_INET)
		return ntohs(reinterpret_cast<sockaddr_in *>(&address.storage)->sin_port);
	if (address.storage.ss_family == AF_INET6)
		return ntohs(reinterpret_cast<sockaddr_in6 *>(&address.storage)->sin6_port);
	return 0;
}

void tune_tcp(int fd)
{
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

} // namespace ntrace
