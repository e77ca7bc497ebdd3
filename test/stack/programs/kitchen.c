// Two cooks and a clock: each calls a function of its own, over and over.
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

volatile int closing;
static pthread_barrier_t all_here;
volatile unsigned long chopped, stirred, ticks;

__attribute__((noinline)) void chop(int vegetable)
{
	chopped += vegetable; /* chop */
}

__attribute__((noinline)) void stir(int turns)
{
	stirred += turns; /* stir */
}

static void *chopper(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "chopper");
	pthread_barrier_wait(&all_here);
	for (int i = 1; !closing; i++) {
		chop(i % 7);
		usleep(2000);
	}
	return NULL;
}

static void *stirrer(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "stirrer");
	pthread_barrier_wait(&all_here);
	for (int i = 1; !closing; i++) {
		stir(i % 5);
		usleep(2000);
	}
	return NULL;
}

static void close_down(int signo)
{
	(void)signo;
	closing = 1;
}

int main(int argc, char **argv)
{
	pthread_t cooks[2];

	alarm(600); // should a test forget it
	signal(SIGUSR1, close_down);
	pthread_barrier_init(&all_here, NULL, 3);
	pthread_create(&cooks[0], NULL, chopper, NULL);
	pthread_create(&cooks[1], NULL, stirrer, NULL);
	pthread_barrier_wait(&all_here);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	while (!closing) {
		ticks++;
		usleep(2000);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(cooks[i], NULL);
	return argc > 1 ? atoi(argv[1]) : 7;
}
