#include "rsp.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPACITY (16u << 20)

void rsp_die(const char *what, const struct rsp *r)
{
	fprintf(stderr, "%s: %.60s\n", what, r ? (const char *)r->packet : "");
	exit(1);
}

void rsp_send(struct rsp *r, const void *content, size_t length)
{
	static unsigned char frame[CAPACITY];
	const unsigned char *from = content;
	unsigned char sum = 0;
	size_t i, at = 0, done;

	frame[at++] = '$';
	for (i = 0; i < length; i++) {
		frame[at++] = from[i];
		sum += from[i];
	}
	at += sprintf((char *)frame + at, "#%02x", sum);
	for (done = 0; done < at;) {
		ssize_t sent = send(r->fd, frame + done, at - done, MSG_NOSIGNAL);

		if (sent <= 0)
			rsp_die("the server is gone", NULL);
		done += sent;
	}
}

static int next_byte(struct rsp *r)
{
	if (r->start == r->end) {
		ssize_t got = recv(r->fd, r->input, CAPACITY, 0);

		if (got <= 0)
			rsp_die("the server is gone", NULL);
		r->start = 0;
		r->end = got;
	}
	return r->input[r->start++];
}

void rsp_receive(struct rsp *r)
{
	int byte;

	while (next_byte(r) != '$')
		;
	r->length = 0;
	while ((byte = next_byte(r)) != '#') {
		if (byte == '}') {
			byte = next_byte(r) ^ 0x20;
		} else if (byte == '*' && r->length > 0) {
			int count = next_byte(r) - 29;

			while (count-- > 0) {
				r->packet[r->length] = r->packet[r->length - 1];
				r->length++;
			}
			continue;
		}
		r->packet[r->length++] = byte;
	}
	next_byte(r);
	next_byte(r);
	r->packet[r->length] = 0;
}

static void ask(struct rsp *r, const char *format, va_list arguments)
{
	char text[4096];
	int length = vsnprintf(text, sizeof(text), format, arguments);

	rsp_send(r, text, length);
	rsp_receive(r);
}

void rsp_ask(struct rsp *r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	ask(r, format, arguments);
	va_end(arguments);
	if (r->length == 0 || (r->packet[0] == 'E' && r->length == 3))
		rsp_die(format, r);
}

void rsp_expect_ok(struct rsp *r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	ask(r, format, arguments);
	va_end(arguments);
	if (strcmp((char *)r->packet, "OK"))
		rsp_die(format, r);
}

int rsp_knows(struct rsp *r, const char *question, const char *word)
{
	rsp_send(r, question, strlen(question));
	rsp_receive(r);
	return strstr((char *)r->packet, word) != NULL;
}

static void note_thread(struct rsp *r)
{
	const char *thread = strstr((char *)r->packet, "thread:");

	if (thread)
		sscanf(thread + strlen("thread:"), "%31[^;]", r->thread);
}

void rsp_stopped(struct rsp *r)
{
	do
		rsp_receive(r);
	while (r->packet[0] == 'O' && strcmp((char *)r->packet, "OK"));
	if (r->packet[0] != 'T')
		rsp_die("not a stop", r);
	note_thread(r);
}

void rsp_connect(struct rsp *r, int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int yes = 1;
	const char *size;

	memset(r, 0, sizeof(*r));
	r->packet = malloc(CAPACITY + 1);
	r->input = malloc(CAPACITY);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(r->fd, (struct sockaddr *)&address, sizeof(address)))
		rsp_die("cannot connect", NULL);
	setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	rsp_ask(r, "qSupported:swbreak+;hwbreak+;vContSupported+;binary-upload+");
	size = strstr((char *)r->packet, "PacketSize=");
	r->packet_size = size ? strtoul(size + strlen("PacketSize="), NULL, 16) : 400;
	r->binary_upload = strstr((char *)r->packet, "binary-upload+") != NULL;
	send(r->fd, "+", 1, MSG_NOSIGNAL);
	rsp_expect_ok(r, "QStartNoAckMode");
	send(r->fd, "+", 1, MSG_NOSIGNAL);
	rsp_send(r, "?", 1); /* an error where there is no process yet */
	rsp_receive(r);
	note_thread(r);
}
