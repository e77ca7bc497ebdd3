// SPDX-License-Identifier: GPL-2.0
#include "reactor.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "embedded/provider.h"

namespace ntrace
{

namespace
{

constexpr int64_t kNever = INT64_MAX;
constexpr int kMaxEvents = 128;
constexpr uint32_t kSlotBits = 16;
constexpr uint32_t kGenerations = 1u << 15; // ids stay positive

// events that belong to no source
constexpr uint64_t kTagLoop = 1ull << 40;
constexpr uint64_t kTagSignals = 2ull << 40;
constexpr uint64_t kTagAlarm = 4ull << 40;
// Sleeps at least so long are ended by a timer that stays armed: a timeout of their own would be
// programmed into the hardware and taken out again by every packet.
constexpr int64_t kLongSleep = 20000000;
constexpr int64_t kAlarmSlack = 2000000;
constexpr uint64_t kTagProvider = 3ull << 40;

int epoll_set(int epoll_fd, int op, int fd, uint32_t events, uint64_t data)
{
	epoll_event e = {};
	e.events = events;
	e.data.u64 = data;
	return epoll_ctl(epoll_fd, op, fd, &e) ? -errno : 0;
}

int epoll_sleep(int epoll_fd, epoll_event *events, int64_t timeout_ns)
{
	if (timeout_ns == 0 || timeout_ns == kNever)
		return epoll_wait(epoll_fd, events, kMaxEvents, timeout_ns ? -1 : 0);
	static thread_local bool has_pwait2 = true;
	if (has_pwait2) {
		timespec t = {time_t(timeout_ns / 1000000000), long(timeout_ns % 1000000000)};
		int n = epoll_pwait2(epoll_fd, events, kMaxEvents, &t, nullptr);
		if (n >= 0 || errno != ENOSYS)
			return n;
		has_pwait2 = false; // before Linux 5.11
	}
	int64_t ms = (timeout_ns + 999999) / 1000000;
	return epoll_wait(epoll_fd, events, kMaxEvents, int(std::min<int64_t>(ms, INT32_MAX)));
}

// After a packet or a stop the next are mostly a few microseconds away, while waking up a processor
// that went to sleep can take fifty. Where they cannot be kept from it, for so long after one ...
constexpr int64_t kBrisk = 2000000;
// ... each wait first looks this long without sleeping, giving way to whoever wants to run here.
constexpr int64_t kLook = 150000;
// Whoever was given way to and came back so much later found others at work: then looking only
// costs, for so long.
constexpr int64_t kShoved = 1000000;
constexpr int64_t kCrowded = 200000000;

// Processors are kept from sleep until so long after a source was ready.
constexpr int64_t kAwakeFor = 10000000;

class EngineSource : public Source
{
      public:
	explicit EngineSource(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

	int attach(Poller poller) override
	{
		return needs_asking() ? 0 : poller.add(engine_->fd(), EPOLLIN);
	}
	int32_t on_events(uint32_t events, bool) override
	{
		return kReadyRead | (events & (EPOLLHUP | EPOLLERR) ? kReadyHangup : 0);
	}
	bool needs_asking() const override { return engine_->fd() < 0; }
	int32_t pending() override { return engine_->readable() ? kReadyRead : 0; }

      private:
	std::shared_ptr<Engine> engine_;
};

} // namespace

int Poller::add(int fd, uint32_t events, bool output)
{
	return epoll_set(epoll_fd_, EPOLL_CTL_ADD, fd, events, id_ | (output ? kOutput : 0));
}

void Poller::change(int fd, uint32_t events, bool output)
{
	epoll_set(epoll_fd_, EPOLL_CTL_MOD, fd, events, id_ | (output ? kOutput : 0));
}

void Poller::remove(int fd)
{
	epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
}

Reactor::Reactor(int32_t *pairs)
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), pairs_(pairs), slots_(1), timer_(kNever)
{
}

Reactor::~Reactor()
{
	if (alarm_fd_ >= 0)
		close(alarm_fd_);
	close(epoll_fd_);
}

int64_t Reactor::now() const
{
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

int Reactor::add(std::unique_ptr<Source> source)
{
	uint32_t index;
	if (!free_slots_.empty()) {
		index = free_slots_.back();
		free_slots_.pop_back();
	} else if (slots_.size() < (1u << kSlotBits)) {
		index = uint32_t(slots_.size());
		slots_.emplace_back();
	} else {
		return -ENFILE;
	}
	Slot &slot = slots_[index];
	int id = int(slot.generation << kSlotBits | index);
	int err = source->attach(Poller(epoll_fd_, uint32_t(id)));
	if (err) {
		free_slots_.push_back(index);
		return err;
	}
	if (source->needs_asking())
		asked_.push_back(id);
	slot.source = std::move(source);
	return id;
}

int Reactor::add_engine(std::shared_ptr<Engine> engine)
{
	if (engine->fd() < 0 && !provider_) {
		provider_ = &Provider::instance();
		int fd = provider_->event_fd();
		if (fd >= 0)
			epoll_set(epoll_fd_, EPOLL_CTL_ADD, fd, EPOLLIN, kTagProvider);
	}
	return add(std::make_unique<EngineSource>(std::move(engine)));
}

Source *Reactor::find(int id) const
{
	uint32_t index = uint32_t(id) & ((1u << kSlotBits) - 1);
	if (id <= 0 || index >= slots_.size() ||
	    slots_[index].generation != uint32_t(id) >> kSlotBits)
		return nullptr;
	return slots_[index].source.get();
}

void Reactor::remove(int id)
{
	if (!find(id))
		return;
	uint32_t index = uint32_t(id) & ((1u << kSlotBits) - 1);
	asked_.erase(std::remove(asked_.begin(), asked_.end(), id), asked_.end());
	slots_[index].source.reset();
	slots_[index].generation = (slots_[index].generation + 1) % kGenerations;
	free_slots_.push_back(index);
}

void Reactor::set_timer(double ms)
{
	timer_ = ms < 0 ? kNever : now() + int64_t(ms * 1e6);
}

int Reactor::watch_signals()
{
	int err = epoll_set(epoll_fd_, EPOLL_CTL_ADD, signals_.fd(), EPOLLIN, kTagSignals);
	return err == -EEXIST ? 0 : err;
}

void Reactor::set_loop_fd(int fd)
{
	if (loop_fd_ >= 0)
		epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, loop_fd_, nullptr);
	loop_fd_ = fd;
	loop_ready_ = false;
	if (fd >= 0)
		epoll_set(epoll_fd_, EPOLL_CTL_ADD, fd, EPOLLIN, kTagLoop);
}

void Reactor::report(int id, int32_t bits)
{
	if (!bits || count_ == kMaxPairs)
		return;
	pairs_[2 * count_] = id;
	pairs_[2 * count_ + 1] = bits;
	count_++;
}

bool Reactor::anything_pending()
{
	for (int id : asked_)
		if (find(id)->pending())
			return true;
	return false;
}

void Reactor::collect_pending()
{
	for (int id : asked_) {
		Source *source = find(id);
		report(id, source->pending());
	}
}

// The alarm goes off at this time or before it. False when there is none to be had.
bool Reactor::arm(int64_t at)
{
	if (alarm_ != kNever && alarm_ <= at + kAlarmSlack)
		return true;
	if (alarm_fd_ < 0) {
		alarm_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
		if (alarm_fd_ < 0)
			return false;
		epoll_set(epoll_fd_, EPOLL_CTL_ADD, alarm_fd_, EPOLLIN, kTagAlarm);
	}
	itimerspec when = {};
	when.it_value = {time_t(at / 1000000000), long(at % 1000000000)};
	if (timerfd_settime(alarm_fd_, TFD_TIMER_ABSTIME, &when, nullptr))
		return false;
	alarm_ = at;
	return true;
}

void Reactor::stay_awake(bool on)
{
	stay_awake_ = on;
	if (!on)
		awake_.let_go();
}

// There was something to do, so there will soon be more.
void Reactor::busy(int64_t now)
{
	last_busy_ = now;
	if (stay_awake_ && !awake_.kept() && awake_.keep() && !arm(now + kAwakeFor))
		awake_.forbid(); // nothing would end it
}

void Reactor::on_alarm()
{
	uint64_t times;
	if (read(alarm_fd_, &times, sizeof(times)) > 0)
		alarm_ = kNever;
	alarmed_ = true;
	if (!awake_.kept())
		return;
	int64_t until = last_busy_ + kAwakeFor;
	if (now() >= until || !arm(until))
		awake_.let_go();
}

int Reactor::sleep(epoll_event *events, int64_t timeout_ns)
{
	int64_t began = timeout_ns ? now() : 0;
	precedence_.before_sleep();
	// who goes first must not look around: nobody else would run meanwhile
	if (timeout_ns == 0 || precedence_.wanted() ||
	    (awake_.kept() && provider_ && provider_->runs_any()) || began - last_busy_ >= kBrisk ||
	    began < crowded_)
		return epoll_sleep(epoll_fd_, events, timeout_ns);
	int64_t until = timeout_ns < kLook ? began + timeout_ns : began + kLook;
	int64_t before = began;
	for (;;) {
		int n = epoll_wait(epoll_fd_, events, kMaxEvents, 0);
		if (n || (provider_ && provider_->wants_pump()))
			return n;
		int64_t t = now();
		if (t - before > kShoved)
			crowded_ = t + kCrowded;
		if (t >= until || t < crowded_) {
			if (timeout_ns != kNever)
				timeout_ns = std::max<int64_t>(timeout_ns - (t - began), 0);
			return epoll_sleep(epoll_fd_, events, timeout_ns);
		}
		before = t;
		sched_yield();
	}
}

void Reactor::poll_once(int64_t timeout_ns)
{
	if (provider_) {
		provider_->prepare_wait();
		int64_t patience = provider_->wants_pump() ? 0 : provider_->patience();
		if (patience >= 0)
			timeout_ns = std::min(timeout_ns, patience);
	}
	if (!asked_.empty() && anything_pending())
		timeout_ns = 0;
	if (timeout_ns != kNever && timeout_ns >= kLongSleep && arm(now() + timeout_ns))
		timeout_ns = kNever;
	epoll_event events[kMaxEvents];
	int n = sleep(events, timeout_ns);
	bool pump = provider_ && (n < 0 || provider_->wants_pump());
	int32_t own = 0; // bits of source 0
	for (int i = 0; i < n; i++) {
		uint64_t data = events[i].data.u64;
		if (data == kTagLoop) {
			loop_ready_ = true;
		} else if (data == kTagAlarm) {
			on_alarm();
		} else if (data == kTagSignals) {
			own |= signals_.collect() ? kReadySignal : 0;
		} else if (data == kTagProvider) {
			pump = true;
		} else if (Source *source = find(int(uint32_t(data)))) {
			report(int(uint32_t(data)),
			       source->on_events(events[i].events, data & Poller::kOutput));
		}
	}
	if (pump)
		provider_->pump();
	collect_pending();
	if (timer_ != kNever && now() >= timer_) {
		timer_ = kNever;
		own |= kReadyTimer;
	}
	if (count_)
		busy(now());
	report(0, own);
}

int Reactor::wait(int64_t timeout_ns)
{
	int64_t deadline = timeout_ns < 0 ? kNever : timeout_ns ? now() + timeout_ns : 0;
	count_ = 0;
	loop_ready_ = false;
	alarmed_ = false;
	for (;;) {
		int64_t until = std::min(deadline, timer_);
		int64_t left = until;
		if (until != kNever && until != 0)
			left = std::max<int64_t>(until - now(), 0);
		poll_once(left);
		if (count_ || loop_ready_ || alarmed_ || (deadline != kNever && now() >= deadline))
			return count_;
	}
}

} // namespace ntrace
