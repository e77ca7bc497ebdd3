/*
 * Two cooks who write down all they do, and a bell. The kitchen closes when the
 * last order is cooked.
 *
 * Usage: kitchen BOOK; SIGUSR1 rings the bell, SIGTERM closes. The exit status is
 * the number of times the bell was heard.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int book;
static volatile sig_atomic_t closing;

volatile sig_atomic_t bell;

void chop(int carrot)
{
	dprintf(book, "chopped carrot %d\n", carrot);
}

void stir(int turn)
{
	dprintf(book, "stirred, turn %d\n", turn);
}

static void *cook(void *argument)
{
	int chopper = argument != NULL, n;

	pthread_setname_np(pthread_self(), chopper ? "chopper" : "stirrer");
	for (n = 1; !closing; n++) {
		if (chopper)
			chop(n);
		else
			stir(n);
		usleep(20000);
	}
	return NULL;
}

static void ring(int signo)
{
	(void)signo;
	bell++;
}

static void close_down(int signo)
{
	(void)signo;
	closing = 1;
}

int main(int argc, char **argv)
{
	pthread_t cooks[2];
	long i;

	book = open(argc > 1 ? argv[1] : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	signal(SIGUSR1, ring);
	signal(SIGTERM, close_down);
	for (i = 0; i < 2; i++)
		pthread_create(&cooks[i], NULL, cook, (void *)i);
	for (i = 0; i < 2; i++)
		pthread_join(cooks[i], NULL);
	return bell;
}
