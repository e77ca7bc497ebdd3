// SPDX-License-Identifier: GPL-2.0
// Three threads write three neighbouring words in turn, when "go" is set: watched is the second.
#include <pthread.h>
#include <unistd.h>

volatile unsigned long go, counter;
struct {
	volatile unsigned long before, watched, after;
} words;
unsigned long *const place = (unsigned long *)&words.watched;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *argument)
{
	unsigned long n = (unsigned long)argument;

	while (!go)
		usleep(1000);
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&lock);
		words.before++;
		words.watched = n * 100 + i;
		words.after++;
		pthread_mutex_unlock(&lock);
		counter++;
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[3];

	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
	while (!go)
		usleep(1000);
	// the third is born when the watchpoint is there already
	pthread_create(&threads[2], NULL, worker, (void *)3);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
