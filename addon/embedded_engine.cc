// SPDX-License-Identifier: GPL-2.0
// Glue to the ptrace provider inside this process.
#include "embedded/provider.h"
#include "engine.h"

namespace ntrace
{

namespace
{

class EmbeddedEngine : public Engine
{
      public:
	explicit EmbeddedEngine(int handle) : handle_(handle) {}
	~EmbeddedEngine() override { close(); }

	int ioctl(unsigned long request, void *record, size_t size) override
	{
		return Provider::instance().ioctl(handle_, request, record, size);
	}

	ssize_t read(void *buf, size_t size) override
	{
		return Provider::instance().read(handle_, buf, size);
	}

	bool wait(int timeout_ms) override
	{
		if (handle_ < 0)
			return false;
		Provider::instance().wait(handle_, timeout_ms);
		return readable();
	}

	void close() override
	{
		if (handle_ >= 0)
			Provider::instance().close(handle_);
		handle_ = -1;
	}

	// this thread makes the events, while it waits for some
	int read_ahead(size_t) override { return handle_ >= 0 ? 0 : -EBADF; }

	bool readable() override { return handle_ >= 0 && Provider::instance().readable(handle_); }

      private:
	int handle_;
};

} // namespace

std::shared_ptr<Engine> open_embedded(Failure &failure)
{
	int handle = Provider::instance().open();
	if (handle >= 0)
		return std::make_shared<EmbeddedEngine>(handle);
	failure = Failure::of(-handle, "opening an engine of the embedded provider");
	return nullptr;
}

} // namespace ntrace
