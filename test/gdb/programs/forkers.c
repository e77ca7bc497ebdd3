#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKERS 4

static void *forker(void *argument)
{
	for (;;) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(11);
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 11)
			_exit(1);
		usleep(5000);
	}
	return argument;
}

int main(void)
{
	pthread_t thread;
	int i;

	for (i = 0; i < FORKERS; i++)
		pthread_create(&thread, NULL, forker, NULL);
	for (i = 0; i >= 0; i++) { /* round */
		usleep(6000);	   /* first */
		usleep(6000);	   /* second */
	}
}
