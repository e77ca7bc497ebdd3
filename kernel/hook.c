// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks in functions of the kernel, one table: what is hooked, what it is for.
 *
 * A row is resolved when the module is loaded; one that is absent, ambiguous or
 * switched off (nohook=) leaves its features off, and the log says so once. The
 * hooks are in place only while an engine is open, and for a moment after.
 *
 * Two ways in, tried in this order (both end in arch/, in the same code):
 *   direct    ftrace calls our trampoline from the function's entry; one user
 *             for each function, so another's BPF program can be in the way
 *   redirect  an IPMODIFY user of ftrace sends the function to the trampoline
 * Handlers run in the context of the function and may sleep where it may.
 */
#include "ntrace.h"

#include <linux/ftrace.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/static_call.h>

#include "hook.h"

#define IDLE_DELAY (2 * HZ)

struct nt_hook {
	const char *name;  /* "name" stands for "name.*" of clones, too */
	const char *needs; /* another symbol its handler calls, or NULL */
	bool (*handler)(struct nt_frame *frame);
	int features[4]; /* enum ntrace_feature + 1 */
	unsigned long address;
	unsigned long size;
	unsigned int matches; /* exact names, then clones */
	unsigned int clones;
	bool off; /* by nohook= */
	enum { NT_OUT, NT_DIRECT, NT_REDIRECT } way;
	struct ftrace_ops direct;
	struct ftrace_ops redirect;
};

#define FEATURE(f) (NTRACE_F_##f + 1)

static struct nt_hook hooks[] = {
    [NT_HOOK_SYSCALL_ENTER] = {.name = "syscall_trace_enter",
			       .handler = nt_hook_syscall_enter,
			       .features = {FEATURE(SYSCALL_ENTRY), FEATURE(SYSCALL_EXIT),
					    FEATURE(SYSCALL_CHANGE)}},
    /* the wrappers before the function that relies on them */
    {.name = "dequeue_signal",
     .handler = nt_hook_dequeue_signal,
     .features = {FEATURE(SIGNALS), FEATURE(SIGNALS_FATAL)}},
    {.name = "get_signal",
     .handler = nt_hook_get_signal,
     .features = {FEATURE(SIGNALS), FEATURE(SIGNALS_FATAL)}},
    {.name = "complete_signal",
     .handler = nt_hook_complete_signal,
     .features = {FEATURE(SIGNALS_FATAL), FEATURE(YIELD)}},
    {.name = "prepare_signal",
     .handler = nt_hook_prepare_signal,
     .features = {FEATURE(SIGNALS_FATAL)}},
    {.name = "do_signal_stop", .handler = nt_hook_signal_stop},
    {.name = "signal_wake_up_state",
     .handler = nt_hook_signal_wake,
     .needs = "ptrace_do_notify",
     .features = {FEATURE(YIELD)}},
    {.name = "ptrace_notify", .handler = nt_hook_ptrace_notify},
    {.name = "force_sig_fault", .handler = nt_hook_fault},
    {.name = "do_exit", .handler = nt_hook_do_exit, .features = {FEATURE(EXITING)}},
};

static_assert(ARRAY_SIZE(hooks) <= NT_HOOK_SLOTS);
static_assert(NT_HOOK_SYSCALL_LAST == NT_SYSCALL_LIMIT - 1);

static char *nohook = "";
module_param(nohook, charp, 0444);
MODULE_PARM_DESC(nohook, "kernel functions to leave alone, separated by commas");

static bool redirect_only;
module_param(redirect_only, bool, 0444);
MODULE_PARM_DESC(redirect_only, "hook without direct calls, as where another user has them");

/* the assembler's */
extern char nt_hook_direct_0[], nt_hook_direct_1[];
extern char nt_hook_redirect_0[];
unsigned long nt_hook_bodies[NT_HOOK_SLOTS];
bool nt_hook_enter(struct nt_frame *frame, unsigned int index);

static DEFINE_PER_CPU(long, inside);
static DEFINE_MUTEX(hooks_mutex); /* users, in place or not */
static unsigned int users;
static bool in_place;

static unsigned long entry(const struct nt_hook *h, const char *first)
{
	return (unsigned long)first + (h - hooks) * (nt_hook_direct_1 - nt_hook_direct_0);
}

/* From arch/. What is counted here keeps the module's code in memory. */
notrace bool nt_hook_enter(struct nt_frame *frame, unsigned int index)
{
	bool skip;

	this_cpu_inc(inside);
	skip = hooks[index].handler(frame);
	this_cpu_dec(inside);
	return skip;
}

static long nr_inside(void)
{
	long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(inside, cpu);
	return sum;
}

bool nt_hook_within(unsigned long address, const char *name)
{
	const struct nt_hook *h;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++)
		if (!strcmp(h->name, name))
			return h->address && address - h->address < h->size;
	return false;
}

bool nt_hook_clone(const char *name)
{
	const struct nt_hook *h;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++)
		if (!strcmp(h->name, name))
			return !h->matches && h->clones;
	return false;
}

/* ---- symbols -------------------------------------------------------------- */
DEFINE_STATIC_CALL_NULL(nt_each_symbol, nt_each_symbol_fn);
DEFINE_STATIC_CALL_NULL(nt_symbol_size, nt_symbol_size_fn);

/* A symbol of the kernel goes by: is it one of the table? */
static int match_symbol(void *data, const char *symbol, NT_SYMBOL_MODULE unsigned long address)
{
	struct nt_hook *h;
	size_t len;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++) {
		len = strlen(h->name);
		if (strncmp(symbol, h->name, len))
			continue;
		if (!symbol[len]) {
			h->address = address;
			h->matches++;
		} else if (symbol[len] == '.' && !strstr(symbol + len, ".cold") &&
			   !strstr(symbol + len, ".part")) {
			/* a clone lacks arguments at most: handlers look at the first one */
			if (!h->matches)
				h->address = address;
			h->clones++;
		}
	}
	return 0;
}

static bool named(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && !strncmp(list, name, len))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static int resolve(void)
{
	unsigned long each = nt_symbol("kallsyms_on_each_symbol");
	unsigned long size = nt_symbol("kallsyms_lookup_size_offset");
	struct nt_hook *h;

	if (!each || !size)
		return -ENOENT;
	static_call_update(nt_each_symbol, (nt_each_symbol_fn *)each);
	static_call_update(nt_symbol_size, (nt_symbol_size_fn *)size);
	static_call(nt_each_symbol)(match_symbol, NULL);
	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++) {
		unsigned long offset;

		h->off = named(nohook, h->name);
		if (h->matches > 1 || (!h->matches && h->clones > 1) ||
		    (h->needs && !nt_symbol(h->needs)))
			h->address = 0;
		if (h->address && !static_call(nt_symbol_size)(h->address, &h->size, &offset))
			h->address = 0;
	}
	return 0;
}

/* ---- in and out ------------------------------------------------------------ */
static void notrace redirect(unsigned long ip, unsigned long parent, struct ftrace_ops *ops,
			     struct ftrace_regs *regs)
{
	struct nt_hook *h = container_of(ops, struct nt_hook, redirect);

	nt_hook_bodies[h - hooks] = ip + MCOUNT_INSN_SIZE;
	nt_ftrace_redirect(regs, entry(h, nt_hook_redirect_0));
}

/* Fit for another registration: older kernels leave freed filters behind. */
static void reset(struct ftrace_ops *ops)
{
	ftrace_free_filter(ops);
	memset(ops, 0, sizeof(*ops));
}

static int put_in(struct nt_hook *h)
{
	int direct, err;

	if (h->off || !h->address || h->way != NT_OUT)
		return 0;
	direct = redirect_only ? -EBUSY : ftrace_set_filter_ip(&h->direct, h->address, 0, 0);
	if (!direct)
		direct = nt_ftrace_direct(&h->direct, entry(h, nt_hook_direct_0));
	if (!direct) {
		h->way = NT_DIRECT;
		return 0;
	}
	reset(&h->direct);
	h->redirect.func = redirect;
	h->redirect.flags |= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY;
	err = ftrace_set_filter_ip(&h->redirect, h->address, 0, 0);
	if (!err)
		err = register_ftrace_function(&h->redirect);
	if (!err) {
		h->way = NT_REDIRECT;
		return 0;
	}
	reset(&h->redirect);
	pr_warn("cannot hook %s: %d (direct), %d (redirect)\n", h->name, direct, err);
	return err;
}

static void take_out(struct nt_hook *h)
{
	int err = 0;

	if (h->way == NT_DIRECT) {
		err = nt_ftrace_undirect(&h->direct, entry(h, nt_hook_direct_0));
		reset(&h->direct);
	} else if (h->way == NT_REDIRECT) {
		err = unregister_ftrace_function(&h->redirect);
		reset(&h->redirect);
	}
	WARN_ON(err);
	h->way = NT_OUT;
}

static void all_in(void)
{
	struct nt_hook *h;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++)
		put_in(h);
	in_place = true;
}

static void all_out(void)
{
	struct nt_hook *h;

	for (h = hooks + ARRAY_SIZE(hooks); h-- > hooks;)
		take_out(h);
	in_place = false;
}

static void idle(struct work_struct *work)
{
	mutex_lock(&hooks_mutex);
	if (!users && in_place)
		all_out();
	mutex_unlock(&hooks_mutex);
}

static DECLARE_DELAYED_WORK(idle_work, idle);

void nt_hooks_get(void)
{
	mutex_lock(&hooks_mutex);
	if (!users++ && !in_place)
		all_in();
	mutex_unlock(&hooks_mutex);
}

void nt_hooks_put(void)
{
	mutex_lock(&hooks_mutex);
	if (!--users)
		mod_delayed_work(system_wq, &idle_work, IDLE_DELAY);
	mutex_unlock(&hooks_mutex);
}

/* ---- loading and unloading --------------------------------------------------- */
static bool serves(const struct nt_hook *h, int feature)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(h->features); i++)
		if (h->features[i] == feature + 1)
			return true;
	return false;
}

/* A feature is on when every row that serves it is in place. */
static void switch_features(void)
{
	const struct nt_hook *h;
	int feature;

	for (feature = 0; feature < 256; feature++) {
		bool any = false, all = true;

		for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++)
			if (serves(h, feature)) {
				any = true;
				all &= h->way != NT_OUT;
			}
		if (any && all)
			nt_feature_on(feature);
	}
	if (!nt_feature(NTRACE_F_SIGNALS)) /* its means */
		nt_features[0] &= ~BIT_ULL(NTRACE_F_SIGNALS_FATAL);
}

/* A row that serves nothing but features that are off (off=) is left alone. */
static void drop_idle_rows(void)
{
	struct nt_hook *h;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++) {
		bool used = !h->features[0];
		int i;

		for (i = 0; i < ARRAY_SIZE(h->features) && h->features[i]; i++)
			used |= nt_feature(h->features[i] - 1);
		if (used || h->off)
			continue;
		take_out(h);
		h->off = true;
	}
}

static void tell(void)
{
	const struct nt_hook *h;
	char absent[160] = "";
	size_t n = 0;

	for (h = hooks; h < hooks + ARRAY_SIZE(hooks); h++)
		if (h->way == NT_OUT)
			n += scnprintf(absent + n, sizeof(absent) - n, " %s (%s)", h->name,
				       h->off			    ? "switched off"
				       : h->address		    ? "refused"
				       : h->matches + h->clones > 1 ? "ambiguous"
								    : "absent");
	if (n)
		pr_info("not hooked, their features are off:%s\n", absent);
}

/* Resolves the table and puts every hook in place once: what fails is off. */
int nt_hook_init(void)
{
	int err = resolve();

	if (err)
		return err;
	nt_signal_init();
	nt_hooks_get();
	switch_features();
	tell();
	drop_idle_rows();
	nt_hooks_put();
	return 0;
}

/* No engine is left. Returns when no thread is inside of our code or can get there. */
void nt_hook_exit(void)
{
	cancel_delayed_work_sync(&idle_work);
	mutex_lock(&hooks_mutex);
	all_out();
	mutex_unlock(&hooks_mutex);
	/* who entered a trampoline has counted itself, or left, after this */
	synchronize_rcu_tasks();
	while (nr_inside())
		schedule_timeout_uninterruptible(1);
	/* ... and who counted itself out has left the last instructions after this */
	synchronize_rcu_tasks();
}
