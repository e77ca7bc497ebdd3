/**
 * Classes of system calls, as strace names them. "file" and "desc" are those whose arguments are
 * paths or descriptors; the tables of arguments know them.
 */
export const CLASSES: Record<string, string> = {
  process:
    'clone clone3 execve execveat exit exit_group fork kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo ' +
    'tgkill tkill unshare vfork wait4 waitid waitpid',
  network:
    'accept accept4 bind connect getpeername getsockname getsockopt getpmsg listen putpmsg recv recvfrom ' +
    'recvmmsg recvmmsg_time64 recvmsg send sendfile sendfile64 sendmmsg sendmsg sendto setsockopt shutdown ' +
    'socket socketcall socketpair',
  signal:
    'kill pause pidfd_send_signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn ' +
    'rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal ' +
    'signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend tgkill tkill sgetmask ssetmask',
  ipc: 'ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget',
  memory:
    'brk get_mempolicy io_destroy io_setup madvise mbind migrate_pages mincore mlock mlock2 mlockall mmap mmap2 ' +
    'mprotect move_pages mremap msync munlock munlockall munmap pkey_mprotect process_madvise ' +
    'remap_file_pages set_mempolicy set_mempolicy_home_node shmat shmdt',
  creds:
    'capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid ' +
    'getresgid32 getresuid getresuid32 getuid getuid32 prctl setfsgid setfsgid32 setfsuid setfsuid32 setgid ' +
    'setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid ' +
    'setreuid32 setuid setuid32',
  clock:
    'adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 ' +
    'clock_settime clock_settime64 gettimeofday settimeofday stime time',
  stat: 'stat stat64 oldstat',
  lstat: 'lstat lstat64 oldlstat',
  fstat: 'fstat fstat64 newfstatat fstatat64 oldfstat',
  '%stat':
    'stat stat64 oldstat lstat lstat64 oldlstat fstat fstat64 newfstatat fstatat64 oldfstat statx',
  statfs: 'statfs statfs64',
  fstatfs: 'fstatfs fstatfs64',
  '%statfs': 'statfs statfs64 fstatfs fstatfs64 ustat',
  pure:
    'getegid getegid32 geteuid geteuid32 getgid getgid32 getpgrp getpid getppid getresgid getresgid32 ' +
    'getresuid getresuid32 gettid getuid getuid32',
};

/** Kinds of arguments that put a call into "file" and "desc". */
export const FILE_KINDS = /(^| )path( |$)|(^| )cwd( |$)/;
export const DESC_KINDS = /(^| )(fd|dirfd|pair|newfd|pollfds|fdset)( |$)|=fd/;
