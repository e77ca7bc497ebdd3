// Does what its variable "want" says, and a system call of its own all the time.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int want; // 1: fork, 2: exec itself, 3: exit
volatile unsigned long handled, acts;

static void handler(int signo)
{
	(void)signo;
	handled++;
}

__attribute__((noinline)) void act(void)
{
	acts++; /* act */
	getppid();
}

int main(int argc, char **argv)
{
	alarm(argc > 1 ? atoi(argv[1]) : 600); // should a test forget it
	signal(SIGUSR1, handler);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (;;) {
		int asked = want;

		act();
		want = asked ? 0 : want;
		if (asked == 1) {
			pid_t child = fork();

			if (child == 0)
				_exit(0);
			waitpid(child, NULL, 0);
		} else if (asked == 2) { // anew, and nothing wanted
			execl("/proc/self/exe", argv[0], argv[1], NULL);
		} else if (asked == 3) {
			return 9;
		}
		usleep(2000);
	}
}
