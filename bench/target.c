/*
 * The program that is debugged while the server is measured.
 *
 * Usage: target THREADS [busy]; calls ready() once they are all there, then tick() for ever. The
 * other threads sleep, or compute.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK (64 * 1024)

volatile uint32_t ticks;
unsigned char block[4 << 20]; /* read and written by the client */
static pthread_barrier_t everybody;

__attribute__((noinline)) void ready(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void tick(void)
{
	ticks++;
}

/* one source line, many instructions: what range stepping is for */
__attribute__((noinline)) void spin(uint32_t count)
{
	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(count));
}

static void *sleeper(void *unused)
{
	pthread_barrier_wait(&everybody);
	for (;;)
		pause();
	return unused;
}

static void *computer(void *unused)
{
	pthread_barrier_wait(&everybody);
	for (;;)
		spin(1000000);
	return unused;
}

int main(int argc, char **argv)
{
	void *(*other)(void *) = argc > 2 && !strcmp(argv[2], "busy") ? computer : sleeper;
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	pthread_attr_t attributes;
	pthread_t thread;
	int i;

	for (i = 0; i < (int)sizeof(block); i++)
		block[i] = (unsigned char)(i * 31 + (i >> 8));
	pthread_barrier_init(&everybody, NULL, threads);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, &attributes, other, NULL))
			return 1;
	pthread_barrier_wait(&everybody);
	ready();
	spin(5000);
	for (;;)
		tick();
}
