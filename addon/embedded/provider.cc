// SPDX-License-Identifier: GPL-2.0
#include "provider.h"
#include "server.h"

namespace ntrace
{

Provider::Provider() : server_(std::make_unique<embedded::Server>()) {}
Provider::~Provider() = default;

Provider &Provider::instance()
{
	static thread_local Provider provider;
	return provider;
}

int Provider::open()
{
	return server_->open();
}
int Provider::ioctl(int handle, unsigned long request, void *record, size_t size)
{
	return server_->ioctl(handle, request, record, size);
}
ssize_t Provider::read(int handle, void *buf, size_t size)
{
	return server_->read(handle, buf, size);
}
bool Provider::readable(int handle)
{
	return server_->readable(handle);
}
void Provider::close(int handle)
{
	server_->close(handle);
}
void Provider::pump()
{
	server_->pump();
}
bool Provider::wants_pump() const
{
	return server_->wants_pump();
}
int64_t Provider::patience() const
{
	return server_->patience();
}
bool Provider::runs_any() const
{
	return server_->runs_any();
}
int Provider::event_fd()
{
	return server_->event_fd();
}
void Provider::prepare_wait()
{
	server_->prepare_wait();
}
int Provider::wait(int handle, int timeout_ms)
{
	return server_->wait(handle, timeout_ms);
}

} // namespace ntrace
