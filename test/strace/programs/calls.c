// SPDX-License-Identifier: GPL-2.0
// Makes system calls of every family once or twice, with results that are the same in every run.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
	struct stat st;
	struct statx stx;
	struct statfs fs;
	char buf[100];
	struct iovec iov[2] = {{"one ", 4},
			       {"two \"\\\t\n\001"
				"7",
				8}};
	struct iovec in[2] = {{buf, 3}, {buf + 10, 50}};
	off_t off = 1;
	int fd = open("a", O_RDWR | O_CREAT | O_TRUNC | O_EXCL, 0640);

	writev(fd, iov, 2);
	pwrite(fd, "xyz", 3, 2);
	lseek(fd, 0, SEEK_SET);
	readv(fd, in, 2);
	preadv(fd, in, 2, 1);
	pread(fd, buf, 5, 1000);
	fstat(fd, &st);
	stat("missing", &st);
	lstat("a", &st);
	syscall(SYS_stat, "a", &st);
	syscall(SYS_stat, "/dev/null", &st);
	syscall(SYS_fstat, fd, &st);
	statx(AT_FDCWD, "a", AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_SIZE, &stx);
	statx(AT_FDCWD, "missing", AT_STATX_DONT_SYNC, STATX_ALL, &stx);
	statfs("/proc", &fs);
	fstatfs(fd, &fs);
	access("a", R_OK | W_OK);
	faccessat(AT_FDCWD, "a", F_OK, 0);
	faccessat(AT_FDCWD, "a", X_OK, AT_EACCESS);
	chmod("a", 04755);
	fchmod(fd, 0);
	fchmodat(AT_FDCWD, "a", 0600, 0);
	chown("a", -1, getgid());
	lchown("a", getuid(), -1);
	fchownat(AT_FDCWD, "a", -1, -1, AT_SYMLINK_NOFOLLOW);
	ftruncate(fd, 4096);
	truncate("a", 100);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	fsync(fd);
	fdatasync(fd);
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	flock(fd, LOCK_EX | LOCK_NB);
	flock(fd, LOCK_UN);
	link("a", "b");
	symlink("a", "c");
	readlink("c", buf, sizeof(buf));
	readlink("a", buf, sizeof(buf));
	readlinkat(AT_FDCWD, "c", buf, sizeof(buf));
	rename("b", "d");
	renameat(AT_FDCWD, "d", AT_FDCWD, "e");
	renameat2(AT_FDCWD, "e", AT_FDCWD, "c", RENAME_NOREPLACE);
	linkat(AT_FDCWD, "c", AT_FDCWD, "f", AT_SYMLINK_FOLLOW);
	symlinkat("x", AT_FDCWD, "g");
	mkdir("sub", 0755);
	mkdirat(AT_FDCWD, "sub2", 0700);
	mknod("fifo", S_IFIFO | 0644, 0);
	mknod("node", S_IFCHR | 0600, 0x103);
	rmdir("sub2");
	unlink("e");
	unlinkat(AT_FDCWD, "f", 0);
	unlinkat(AT_FDCWD, "sub", AT_REMOVEDIR);
	umask(022);
	umask(0);
	chdir(".");
	int d = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	fchdir(d);
	syscall(SYS_getdents64, d, malloc(4096), 4096);
	getcwd(buf, sizeof(buf));
	getcwd(buf, 2);
	int p[2];
	pipe(p);
	pipe2(p, O_CLOEXEC | O_NONBLOCK);
	read(p[0], buf, 10);
	write(p[1], "hello", 5);
	int fl = fcntl(p[0], F_GETFL);
	fcntl(p[0], F_SETFL, fl & ~O_NONBLOCK);
	fcntl(p[0], F_GETFD);
	fcntl(p[0], F_SETFD, 0);
	fcntl(p[0], F_GETFD);
	fcntl(p[0], F_DUPFD, 50);
	fcntl(p[0], F_DUPFD_CLOEXEC, 50);
	fcntl(p[0], F_GETPIPE_SZ);
	fcntl(p[0], F_SETPIPE_SZ, 8192);
	fcntl(p[0], F_SETOWN, 0);
	fcntl(p[0], F_GETOWN);
	fcntl(p[0], F_SETSIG, SIGUSR1);
	fcntl(p[0], F_GETSIG);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_GETLK, &lock);
	lock.l_type = F_UNLCK;
	fcntl(fd, F_SETLKW, &lock);
	fcntl(fd, F_GETLEASE);
	tee(p[0], p[1], 3, SPLICE_F_NONBLOCK);
	splice(p[0], NULL, fd, &off, 2, SPLICE_F_MOVE);
	vmsplice(p[1], iov, 1, 0);
	off = 0;
	read(p[0], buf, sizeof(buf));
	fcntl(p[1], F_GETFL);
	sendfile(p[1], fd, &off, 3);
	sendfile(p[1], fd, NULL, 3);
	copy_file_range(fd, &off, fd, NULL, 0, 0);
	dup(p[0]);
	dup2(p[0], 60);
	dup3(p[0], 61, O_CLOEXEC);
	close(60);
	close(-1);
	syscall(SYS_close_range, 100, ~0u, 4);
	setxattr("a", "user.t", "value", 5, XATTR_CREATE);
	getxattr("a", "user.t", buf, sizeof(buf));
	getxattr("a", "user.none", buf, sizeof(buf));
	listxattr("a", buf, sizeof(buf));
	fremovexattr(fd, "user.t");
	struct timespec ts[2] = {{1, 2}, {0, UTIME_OMIT}};
	futimens(fd, ts);
	utimensat(AT_FDCWD, "a", NULL, AT_SYMLINK_NOFOLLOW);
	struct timeval tv[2] = {{1, 2}, {3, 4}};
	syscall(SYS_utimes, "a", tv);
	struct {
		unsigned long long flags, mode, resolve;
	} how = {O_RDONLY | O_CLOEXEC, 0, 0x04};
	syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof(how));
	syscall(SYS_memfd_create, "mem", 3);
	int in_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int wd = inotify_add_watch(in_fd, "a", IN_MODIFY | IN_CLOSE_WRITE | IN_ONLYDIR);
	wd = inotify_add_watch(in_fd, ".", IN_CREATE | IN_DELETE);
	inotify_rm_watch(in_fd, wd);
	ioctl(fd, TCGETS, buf);
	ioctl(fd, FIONREAD, &off);
	ioctl(p[0], FIONREAD, &off);
	int on = 1;
	ioctl(p[0], FIONBIO, &on);
	ioctl(p[0], 0x12345678, 0x77);
	ioctl(p[0], TIOCGWINSZ, buf);
	open("/nonexistent", O_WRONLY | O_APPEND | O_NOFOLLOW | O_SYNC);
	syscall(SYS_open, "a", O_RDONLY | O_LARGEFILE);
	syscall(SYS_creat, "h", 0600);
	open(".", O_TMPFILE | O_RDWR, 0600);
	write(1, "", 0);
	char *big = malloc(10000);
	memset(big, 'b', 10000);
	big[5] = 0;
	write(fd, big, 10000);
	write(fd, "\0001\08\09", 6);
	write(fd, "\377\376text", 6);
	open((char *)1, O_RDONLY);
	write(fd, (void *)1, 3);
	mount("none", "/nonexistent", "tmpfs", MS_NOSUID | MS_NODEV, "size=1k");
	umount2("/nonexistent", MNT_DETACH);
	chroot("/nonexistent");
}

static void memory(void)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	mprotect(p, 4096, PROT_NONE);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	madvise(p, 4096, MADV_DONTNEED);
	msync(p, 4096, MS_SYNC | MS_INVALIDATE);
	mlock(p, 4096);
	munlock(p, 4096);
	mlock2(p, 4096, 1);
	mlockall(MCL_CURRENT);
	munlockall();
	mincore(p, 4096, malloc(10));
	p = mremap(p, 4096, 8192, MREMAP_MAYMOVE);
	munmap(p, 8192);
	mmap(NULL, 0, PROT_READ, MAP_SHARED, 0, 0);
	sbrk(4096);
	syscall(SYS_membarrier, 0, 0, 0);
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	void *a = shmat(id, NULL, SHM_RDONLY);
	shmdt(a);
	shmctl(id, IPC_RMID, NULL);
}

static void identity(void)
{
	struct rlimit lim;
	struct rusage use;
	struct utsname name;
	struct sysinfo info;
	struct tms tms;
	uid_t a, b, c;
	gid_t groups[64];
	cpu_set_t set;
	char buf[64];
	unsigned cpu;
	struct sched_param param;

	getuid();
	geteuid();
	getgid();
	getegid();
	getresuid(&a, &b, &c);
	getresgid(&a, &b, &c);
	getgroups(64, groups);
	getpgid(0);
	getsid(-5);
	getpriority(PRIO_PROCESS, 0);
	setpriority(PRIO_PROCESS, 0, 5);
	getrlimit(RLIMIT_NOFILE, &lim);
	syscall(SYS_getrlimit, RLIMIT_CORE, &lim);
	syscall(SYS_setrlimit, RLIMIT_CORE, &lim);
	prlimit(0, RLIMIT_AS, &lim, NULL);
	getrusage(RUSAGE_CHILDREN, &use);
	uname(&name);
	sysinfo(&info);
	times(&tms);
	sched_getaffinity(0, sizeof(set), &set);
	sched_setaffinity(0, sizeof(set), &set);
	sched_yield();
	sched_getscheduler(0);
	sched_getparam(0, &param);
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_BATCH, &param);
	sched_get_priority_max(SCHED_FIFO);
	sched_get_priority_min(SCHED_RR);
	struct timespec ts;
	sched_rr_get_interval(0, &ts);
	syscall(SYS_getcpu, &cpu, NULL, NULL);
	prctl(PR_SET_NAME, "calls");
	prctl(PR_GET_NAME, buf);
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	int sig;
	prctl(PR_GET_PDEATHSIG, &sig);
	prctl(PR_GET_DUMPABLE);
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_CAPBSET_READ, 5);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	prctl(PR_GET_CHILD_SUBREAPER, &sig);
	prctl(PR_GET_TIMERSLACK);
	personality(0xffffffff);
	unsigned long fs;
	syscall(SYS_arch_prctl, 0x1003, &fs);
	syscall(SYS_getrandom, buf, 8, 1);
	setpgid(0, 0);
	getpgrp();
	setsid();
	syscall(SYS_setuid, 0);
	syscall(SYS_setresuid, -1, -1, -1);
	syscall(SYS_capget, "x", NULL);
	syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 1);
	syscall(SYS_gettid);
	sethostname((char *)1, 3);
	syscall(999, 1, 2, 3, 4, 5, 6);
}

static void handler(int sig)
{
	(void)sig;
}

static void signals(void)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigset_t set, old;
	siginfo_t info;
	struct timespec ts = {0, 1000000};
	stack_t stack = {malloc(SIGSTKSZ), 0, SIGSTKSZ};

	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGINT);
	sigaddset(&act.sa_mask, SIGCHLD);
	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR1, NULL, &act);
	sigaction(SIGRTMIN, &act, NULL);
	sigaction(SIGKILL, &act, NULL);
	signal(SIGUSR2, SIG_IGN);
	kill(getpid(), SIGUSR1);
	kill(getpid(), 0);
	tgkill(getpid(), getpid(), SIGUSR2);
	raise(SIGUSR1);
	union sigval v = {.sival_int = 7};
	sigqueue(getpid(), SIGRTMIN, v);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	sigpending(&set);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigtimedwait(&set, &info, &ts);
	sigtimedwait(&set, &info, &ts);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigaltstack(&stack, NULL);
	sigaltstack(NULL, &stack);
	signalfd(-1, &set, SFD_CLOEXEC);
	kill(999999, SIGTERM);
	alarm(100);
	alarm(0);
	struct itimerval it = {{0, 0}, {0, 2000}};
	signal(SIGALRM, handler);
	sigset_t alarm_only, none;
	sigemptyset(&none);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm_only, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
	sigsuspend(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	getitimer(ITIMER_VIRTUAL, &it);
	timer_t timer;
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	struct itimerspec its = {{0, 0}, {100, 0}};
	timer_settime(timer, 0, &its, NULL);
	timer_delete(timer);
}

static void waits(void)
{
	struct timespec ts = {0, 1000000};
	struct timeval tv = {0, 1000};
	struct pollfd fds[3] = {{0, POLLIN, 0}, {1, POLLOUT, 0}, {-1, 0, 0}};
	fd_set in, out;
	int p[2], word = 1;
	struct epoll_event ev = {EPOLLIN | EPOLLET, {.u64 = 0x1122334455}}, evs[4];

	pipe(p);
	fds[0].fd = p[0];
	fds[1].fd = p[1];
	poll(fds, 1, 1);
	poll(fds, 3, -1);
	ppoll(fds, 3, &ts, NULL);
	fds[0].fd = 999;
	poll(fds, 1, 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(p[1], &out);
	syscall(SYS_select, p[1] + 1, &in, NULL, NULL, &tv);
	tv.tv_usec = 1000;
	FD_SET(p[0], &in);
	syscall(SYS_select, p[1] + 1, &in, &out, NULL, &tv);
	FD_SET(p[0], &in);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pselect(p[1] + 1, &in, &out, NULL, &ts, &set);
	int e = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev);
	epoll_ctl(e, EPOLL_CTL_DEL, 77, NULL);
	epoll_wait(e, evs, 4, 0);
	write(p[1], "x", 1);
	epoll_wait(e, evs, 4, -1);
	epoll_pwait(e, evs, 4, 0, &set);
	int efd = eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)efd;
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	struct itimerspec its = {{0, 0}, {0, 1000}};
	timerfd_settime(t, 0, &its, NULL);
	nanosleep(&ts, NULL);
	nanosleep(&ts, &ts);
	ts.tv_nsec = 1000;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	syscall(SYS_nanosleep, &ts, &ts);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	syscall(SYS_clock_getres, CLOCK_REALTIME, &ts);
	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	ts.tv_sec = 0;
	ts.tv_nsec = 1;
	syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL);
	syscall(SYS_futex, &word, FUTEX_WAIT, 1, &ts);
	syscall(SYS_futex, &word, FUTEX_WAKE, 1);
	syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 1, &ts, NULL,
		-1);
	syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 3);
	syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 2, &word, 1);
	syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, &word,
		FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 2));
	word = 0;
	syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL);
}

static void sockets(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
	struct sockaddr_storage any;
	socklen_t len;
	int on = 1, pair[2];
	char buf[64];
	struct timeval tv = {1, 500};
	struct linger linger = {1, 5};

	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(s, IPPROTO_IP, IP_TOS, &on, sizeof(on));
	len = sizeof(on);
	getsockopt(s, SOL_SOCKET, SO_TYPE, &on, &len);
	getsockopt(s, SOL_SOCKET, SO_ERROR, &on, &len);
	bind(s, (void *)&in, sizeof(in));
	listen(s, 5);
	len = sizeof(any);
	getsockname(-1, (void *)&any, &len);
	int c = socket(AF_INET, SOCK_STREAM, 0);
	getpeername(c, (void *)&any, &len);
	socket(AF_NETLINK, SOCK_RAW, 0);
	int six = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_IP);
	connect(six, (void *)&in6, sizeof(in6));
	setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	int u = socket(AF_UNIX, SOCK_STREAM, 0);
	connect(u, (void *)&un, sizeof(un));
	strcpy(un.sun_path, "unix");
	bind(u, (void *)&un, sizeof(un));
	listen(u, 1);
	len = sizeof(any);
	getsockname(u, (void *)&any, &len);
	int cl = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(cl, (void *)&un, sizeof(un));
	len = sizeof(any);
	int ac = accept4(u, (void *)&any, &len, SOCK_CLOEXEC);
	(void)ac;
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	sendto(pair[0], "ping", 4, MSG_NOSIGNAL, NULL, 0);
	recvfrom(pair[1], buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL);
	recvfrom(pair[1], buf, sizeof(buf), MSG_DONTWAIT, (void *)&any, &len);
	struct iovec iov = {"message", 7};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &s, sizeof(int));
	sendmsg(pair[0], &msg, 0);
	iov.iov_base = buf;
	iov.iov_len = sizeof(buf);
	recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC);
	recvmsg(pair[1], &msg, MSG_DONTWAIT);
	shutdown(pair[0], SHUT_WR);
	int d = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	in.sin_port = htons(9);
	sendto(d, "x", 1, 0, (void *)&in, sizeof(in));
	len = sizeof(any);
	getsockopt(cl, SOL_SOCKET, SO_PEERCRED, buf, &len);
}

static void children(void)
{
	int status;
	struct rusage use;
	siginfo_t info;

	pid_t pid = fork();
	if (pid == 0)
		_exit(3);
	waitpid(pid, &status, 0);
	wait4(-1, &status, WNOHANG, &use);
	pid = fork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		pause();
	}
	wait4(pid, &status, __WALL, &use);
	pid = vfork();
	if (pid == 0)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED);
	pid = fork();
	if (pid == 0) {
		char *argv[] = {"true", "an argument that is longer than thirty-two characters",
				NULL};
		char *envp[] = {"A=b", NULL};
		execve("/nonexistent", argv, envp);
		execve("/bin/true", argv, envp);
	}
	waitpid(pid, &status, 0);
}

// The argument is an empty directory to work in.
int main(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]))
		return 1;
	files();
	memory();
	signals();
	waits();
	sockets();
	children();
	identity();
	return 42;
}
