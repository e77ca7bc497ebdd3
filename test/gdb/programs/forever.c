// One thread spins, one sleeps most of the time. With an argument it says when both are there.
#include <pthread.h>
#include <unistd.h>

volatile int go_on = 1;
volatile unsigned long spins;

static void *spin(void *tell)
{
	if (tell && write(1, "ready\n", 6) != 6)
		return NULL;
	while (go_on)
		spins++;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	alarm(600); /* should a test forget it */
	pthread_create(&thread, NULL, spin, argc > 1 ? argv : NULL);
	while (go_on)
		usleep(1000); /* wait */
	pthread_join(thread, NULL);
	return 0;
}
