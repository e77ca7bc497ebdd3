/*
 * Two bakers fill a jar with cookies and write each one down. In the end the
 * jar holds fewer cookies than the ledger says: somebody nibbles. Who?
 *
 * Usage: bakery LEDGER; the exit status is 1 when cookies are missing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum who { ANNA, BRUNO, MOUSE, EVERYBODY };

static const char *const names[] = {"anna", "bruno", "mouse"};
static const enum who shifts[] = {ANNA, BRUNO, ANNA, BRUNO, MOUSE, ANNA, BRUNO};

static pthread_mutex_t kitchen = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t next_shift = PTHREAD_COND_INITIALIZER;
static unsigned int shift, present, open_door;
static int ledger;

int jar, baked;

void bake(const char *baker)
{
	jar += 2;
	baked += 2;
	dprintf(ledger, "%s baked 2, that makes %d\n", baker, baked);
}

void nibble(void)
{
	jar -= 3; /* and not a word in the ledger */
}

static int wait_for_shift(enum who me)
{
	while (!open_door || (shift < sizeof(shifts) / sizeof(shifts[0]) && shifts[shift] != me))
		pthread_cond_wait(&next_shift, &kitchen);
	return shift < sizeof(shifts) / sizeof(shifts[0]);
}

static void *work(void *argument)
{
	enum who me = (enum who)(long)argument;

	pthread_setname_np(pthread_self(), names[me]);
	pthread_mutex_lock(&kitchen);
	present++;
	pthread_cond_broadcast(&next_shift);
	while (wait_for_shift(me)) {
		if (me == MOUSE)
			nibble();
		else
			bake(names[me]);
		shift++;
		pthread_cond_broadcast(&next_shift);
	}
	pthread_mutex_unlock(&kitchen);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[EVERYBODY];
	long who;

	ledger = open(argc > 1 ? argv[1] : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (who = 0; who < EVERYBODY; who++)
		pthread_create(&threads[who], NULL, work, (void *)who);

	pthread_mutex_lock(&kitchen);
	while (present < EVERYBODY)
		pthread_cond_wait(&next_shift, &kitchen);
	open_door = 1;
	pthread_cond_broadcast(&next_shift);
	pthread_mutex_unlock(&kitchen);

	for (who = 0; who < EVERYBODY; who++)
		pthread_join(threads[who], NULL);
	close(ledger);
	return jar == baked ? 0 : 1;
}
