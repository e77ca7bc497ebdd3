/* A small client of the GDB remote protocol in no-ack mode, for measuring servers. */
#ifndef BENCH_RSP_H
#define BENCH_RSP_H

#include <stddef.h>
#include <stdint.h>

struct rsp {
	int fd;
	size_t packet_size;    /* what the server announced */
	int binary_upload;     /* it knows x */
	char thread[32];       /* of the last stop reply */
	size_t length;	       /* of the last packet */
	unsigned char *packet; /* its content, escapes and runs expanded, NUL after it */
	unsigned char *input;
	size_t start, end;
};

/* Each ends the program with a message when the server does not do its part. */
void rsp_connect(struct rsp *r, int port);
void rsp_send(struct rsp *r, const void *content, size_t length);
void rsp_receive(struct rsp *r);
/* Sends a formatted packet and receives one. */
void rsp_ask(struct rsp *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void rsp_expect_ok(struct rsp *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether the answer to a question has this word in it. */
int rsp_knows(struct rsp *r, const char *question, const char *word);
/* Receives until a stop reply has come. */
void rsp_stopped(struct rsp *r);
void rsp_die(const char *what, const struct rsp *r);

#endif
