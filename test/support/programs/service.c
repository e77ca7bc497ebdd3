// Answers requests of eight bytes on any number of connections, a few at a time. Prints its port.
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int listener;

__attribute__((noinline)) unsigned long handle(unsigned long request)
{
	__asm__ volatile("" : "+r"(request));
	return request * 3 + 1;
}

static void *work(void *arg)
{
	unsigned long request;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		while (read(fd, &request, sizeof(request)) == sizeof(request)) {
			unsigned long answer = handle(request);

			if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
				break;
		}
		close(fd);
	}
	perror("accept");
	exit(1);
	return arg;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	pthread_t thread;
	int i;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, len) || listen(listener, 16) ||
	    getsockname(listener, (struct sockaddr *)&addr, &len)) {
		perror("listen");
		return 1;
	}
	for (i = argc > 1 ? atoi(argv[1]) : 4; i > 1; i--)
		if (pthread_create(&thread, NULL, work, NULL))
			return 1;
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	work(NULL);
	return 0;
}
