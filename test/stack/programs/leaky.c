// Leaks, and says so at its end: -fsanitize=leak has a thread of its own ptrace the others.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t done;

static void go(int signo)
{
	(void)signo;
	done = 1;
}
static void *volatile kept;

__attribute__((noinline)) void forget(void)
{
	kept = malloc(1234);
	kept = NULL;
}

static void *spin(void *unused)
{
	(void)unused;
	while (!done)
		usleep(1000);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	signal(SIGUSR2, go);
	alarm(argc > 1 ? atoi(argv[1]) : 120); // should a test forget it
	pthread_create(&thread, NULL, spin, NULL);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	while (!done)
		usleep(1000);
	pthread_join(thread, NULL);
	forget();
	return 0;
}
