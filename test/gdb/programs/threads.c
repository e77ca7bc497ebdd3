#include <pthread.h>
#include <stdio.h>

#define WORKERS 4

__thread int mine;
int counters[WORKERS];
pthread_barrier_t started, go, finish;

static void *worker(void *argument)
{
	int number = (int)(long)argument;
	int i;

	mine = 100 + number;
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&go);
	for (i = 0; i < 1000; i++)
		counters[number]++; /* count */
	pthread_barrier_wait(&finish);
	return NULL;
}

int main(void)
{
	pthread_t threads[WORKERS];
	long i;

	mine = 99;
	pthread_barrier_init(&started, NULL, WORKERS + 1);
	pthread_barrier_init(&go, NULL, WORKERS + 1);
	pthread_barrier_init(&finish, NULL, WORKERS + 1);
	for (i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)i);
	pthread_barrier_wait(&started);
	mine++; /* all started */
	pthread_barrier_wait(&go);
	pthread_barrier_wait(&finish);
	for (i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	puts("done"); /* joined */
	return 0;
}
