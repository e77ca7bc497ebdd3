// SPDX-License-Identifier: GPL-2.0
/* The control file: handshake, dispatch of calls, events by read() and poll(). */
#include <linux/elf.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "hook.h"
#include "ntrace.h"

#define MOST_THEIRS 4096 /* bytes of a record, however new the caller */
#define MOST_OURS 512

static const struct call {
	u32 request;
	bool changes; /* refused to observers */
	int feature;  /* EOPNOTSUPP while it is off; -1: always there */
	int (*run)(struct nt_engine *e, void *record);
} calls[] = {
    [0] = {NTRACE_IOC_HELLO, false, -1, nt_hello},
    [1] = {NTRACE_IOC_ATTACH, false, NTRACE_F_ATTACH, nt_attach},
    [2] = {NTRACE_IOC_DETACH, false, NTRACE_F_ATTACH, nt_detach},
    [3] = {NTRACE_IOC_THREADS, false, NTRACE_F_ATTACH, nt_threads},
    [4] = {NTRACE_IOC_RESUME, true, NTRACE_F_ATTACH, nt_resume},
    [5] = {NTRACE_IOC_STOP, true, NTRACE_F_ATTACH, nt_stop},
    [6] = {NTRACE_IOC_GETREGS, false, NTRACE_F_REGSETS, nt_getregs},
    [7] = {NTRACE_IOC_SETREGS, true, NTRACE_F_REGSETS, nt_setregs},
    [8] = {NTRACE_IOC_READMEM, false, NTRACE_F_MEMORY, nt_readmem},
    [9] = {NTRACE_IOC_WRITEMEM, true, NTRACE_F_MEMORY, nt_writemem},
    [10] = {NTRACE_IOC_BREAK, true, NTRACE_F_BREAK, nt_break},
    [11] = {NTRACE_IOC_UNBREAK, true, NTRACE_F_BREAK, nt_unbreak},
    [12] = {NTRACE_IOC_BREAK_STATS, false, NTRACE_F_BREAK, nt_break_stats},
    [13] = {NTRACE_IOC_SETS, false, NTRACE_F_ATTACH, nt_set_sets},
    [14] = {NTRACE_IOC_SIGNAL, true, NTRACE_F_ATTACH, nt_signal},
    [15] = {NTRACE_IOC_WHO, false, NTRACE_F_WHO, nt_who},
    [16] = {NTRACE_IOC_RELEASE, true, NTRACE_F_RELEASE, nt_release_hold},
    [17] = {NTRACE_IOC_TRACEPOINT, true, NTRACE_F_TRACEPOINTS, nt_tracepoint},
    [18] = {NTRACE_IOC_TRACE_CONTROL, true, NTRACE_F_TRACEPOINTS, nt_trace_control},
    [19] = {NTRACE_IOC_TRACE_QUERY, false, NTRACE_F_TRACEPOINTS, nt_trace_query},
    [20] = {NTRACE_IOC_TRACE_READ, false, NTRACE_F_TRACEPOINTS, nt_trace_read},
    [21] = {NTRACE_IOC_VARIABLE, true, NTRACE_F_TRACEPOINTS, nt_variable},
};

int nt_hello(struct nt_engine *e, void *record)
{
	struct ntrace_hello *r = record;
	struct ntrace_event *notes;
	u32 capacity;

	if (!r->abi_version || r->flags & ~NTRACE_HELLO_OBSERVER || r->reserved)
		return -EINVAL;
	capacity =
	    roundup_pow_of_two(clamp(r->event_capacity, NT_EVENT_CAPACITY, NTRACE_MAX_EVENTS));
	notes = __vmalloc(array_size(capacity, sizeof(*notes)), GFP_KERNEL_ACCOUNT);
	if (!notes)
		return -ENOMEM;
	mutex_lock(&e->mutex);
	if (e->hello) {
		mutex_unlock(&e->mutex);
		vfree(notes);
		return -EALREADY;
	}
	nt_hooks_get();
	e->notes = notes;
	e->capacity = capacity;
	e->observer = r->flags & NTRACE_HELLO_OBSERVER;
	if (e->observer)
		e->defaults.signal_stop = e->defaults.fault_stop = 0;
	memcpy(e->label, r->label, sizeof(e->label) - 1);
	/* pairs with the calls: who sees it sees what it stands for */
	smp_store_release(&e->hello, true);
	mutex_unlock(&e->mutex);
	r->abi_version = NTRACE_ABI_VERSION;
	memcpy(r->features, nt_features, sizeof(r->features));
	strscpy_pad(r->provider, "kernel", sizeof(r->provider));
	r->engine_id = e->id;
	r->machine = ELF_ARCH;
	r->page_size = PAGE_SIZE;
	r->event_size = sizeof(struct ntrace_event);
	r->thread_size = sizeof(struct ntrace_thread);
	r->max_batch = NTRACE_MAX_BATCH;
	r->event_capacity = capacity;
	r->hw_breaks = r->hw_watches = NT_DEBUG_REGISTERS;
	r->hw_watch_len = NT_WATCH_LENGTH;
	return 0;
}

static const struct call *find_call(unsigned int request)
{
	const unsigned int size_bits = _IOC_SIZEMASK << _IOC_SIZESHIFT;
	const struct call *call;

	if (_IOC_NR(request) >= ARRAY_SIZE(calls))
		return NULL;
	call = &calls[array_index_nospec(_IOC_NR(request), ARRAY_SIZE(calls))];
	return (call->request & ~size_bits) == (request & ~size_bits) ? call : NULL;
}

/* Records of other sizes than ours: shorter ones are zero-extended, longer ones must
 * end in zeros. What the call says comes back even when it fails: it may say why.
 */
static long control_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	const struct call *call = find_call(request);
	struct nt_engine *e = file->private_data;
	void __user *user = (void __user *)argument;
	size_t theirs = _IOC_SIZE(request), ours;
	u64 record[MOST_OURS / sizeof(u64)];
	long error;

	if (!call)
		return -ENOTTY;
	ours = _IOC_SIZE(call->request);
	if (!theirs || theirs > MOST_THEIRS)
		return -EINVAL;
	/* pairs with nt_hello() */
	if (!smp_load_acquire(&e->hello) && call->run != nt_hello)
		return -ENOTCONN;
	if (!call->run || (call->feature >= 0 && !nt_feature(call->feature)))
		return -EOPNOTSUPP;
	if (e->observer && call->changes)
		return -EROFS;
	if (WARN_ON_ONCE(ours > sizeof(record)))
		return -EINVAL;
	error = copy_struct_from_user(record, ours, user, theirs);
	if (error)
		return error;
	error = call->run(e, record);
	if (copy_to_user(user, record, min(ours, theirs)))
		return -EFAULT;
	return error;
}

static ssize_t control_read(struct file *file, char __user *buf, size_t size, loff_t *at)
{
	struct nt_engine *e = file->private_data;
	ssize_t got;

	/* pairs with nt_hello() */
	if (!smp_load_acquire(&e->hello))
		return -ENOTCONN;
	if (size < sizeof(struct ntrace_event))
		return -EMSGSIZE;
	for (;;) {
		got = nt_event_read(e, buf, size);
		if (got)
			return got;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(e->wait, nt_readable(e) || nt_unloading))
			return -ERESTARTSYS;
		if (nt_unloading)
			return -ENODEV;
	}
}

static __poll_t control_poll(struct file *file, poll_table *table)
{
	struct nt_engine *e = file->private_data;

	if (!READ_ONCE(nt_unloading))
		poll_wait(file, &e->wait, table);
	if (READ_ONCE(nt_unloading)) /* begun since: whoever is on the queue leaves it now */
		return EPOLLHUP;
	return nt_readable(e) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int control_open(struct inode *inode, struct file *file)
{
	struct nt_engine *e = nt_engine_open(file);

	if (!e)
		return -ENOMEM;
	file->private_data = e;
	return nonseekable_open(inode, file);
}

/* Whoever polls keeps the file, and the last close has none of them to wait for. But at
 * unload proc closes files that are open (fs/proc/inode.c, close_pdeo()): poll() and epoll
 * would look at a wait queue that is gone. poll() goes as soon as it runs and asks again,
 * epoll has to be told by POLLFREE (fs/eventpoll.c). Says whether there was anybody.
 */
bool nt_send_pollers_away(struct nt_engine *e)
{
	/* nobody comes any more, and who was late is found in the next round */
	if (!waitqueue_active(&e->wait)) {
		/* the last one has let go of the lock as well */
		spin_lock_irq(&e->wait.lock);
		spin_unlock_irq(&e->wait.lock);
		return false;
	}
	__wake_up(&e->wait, TASK_NORMAL, 0, poll_to_key(EPOLLHUP | POLLFREE));
	return true;
}

static int control_release(struct inode *inode, struct file *file)
{
	struct nt_engine *e = file->private_data;

	while (nt_send_pollers_away(e))
		schedule_timeout_uninterruptible(1);
	nt_engine_close(e);
	return 0;
}

const struct proc_ops nt_control_ops = {
    .proc_open = control_open,
    .proc_release = control_release,
    .proc_read = control_read,
    .proc_poll = control_poll,
    .proc_ioctl = control_ioctl,
#ifdef CONFIG_COMPAT
    .proc_compat_ioctl = control_ioctl, /* records are the same in 32 bits */
#endif

};
