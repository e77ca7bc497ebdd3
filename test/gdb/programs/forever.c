#include <pthread.h>
#include <unistd.h>

volatile int go_on = 1;
volatile unsigned long spins;

static void *spin(void *unused)
{
	(void)unused;
	while (go_on)
		spins++;
	return NULL;
}

int main(void)
{
	pthread_t thread;

	alarm(60); /* should a test forget it */
	pthread_create(&thread, NULL, spin, NULL);
	while (go_on)
		usleep(1000); /* wait */
	pthread_join(thread, NULL);
	return 0;
}
