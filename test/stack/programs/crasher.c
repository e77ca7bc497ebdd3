// Its crash handler is a child that ptraces it, and reads where it crashed: exit code 7.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t done;

static void go(int signo)
{
	(void)signo;
	done = 1;
}

__attribute__((noinline)) static void crash(void)
{
	*(volatile int *)8 = 1;
}

static int look(pid_t crashed)
{
	struct user_regs_struct regs;
	int status;

	if (ptrace(PTRACE_ATTACH, crashed, NULL, NULL))
		return 1;
	if (waitpid(crashed, &status, 0) != crashed || !WIFSTOPPED(status))
		return 2;
	if (ptrace(PTRACE_GETREGS, crashed, NULL, &regs) || !regs.rip)
		return 3;
	return ptrace(PTRACE_DETACH, crashed, NULL, NULL) ? 4 : 7;
}

static void handler(int signo)
{
	pid_t parent = getpid(), child;
	int status = 0;

	(void)signo;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	child = fork();
	if (child == 0)
		_exit(look(parent));
	while (waitpid(child, &status, 0) != child)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

int main(int argc, char **argv)
{
	signal(SIGUSR2, go);
	alarm(argc > 1 ? atoi(argv[1]) : 120); // should a test forget it
	signal(SIGSEGV, handler);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	while (!done)
		usleep(1000);
	crash();
	return 0;
}
