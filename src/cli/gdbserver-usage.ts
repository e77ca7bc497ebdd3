/** gdbserver's own help text, with our additions in a group of their own. */
export const USAGE = `Usage:	gdbserver [OPTIONS] COMM PROG [ARGS ...]
	gdbserver [OPTIONS] --attach COMM PID
	gdbserver [OPTIONS] --multi COMM

COMM may either be a tty device (for serial debugging),
HOST:PORT to listen for a TCP connection, or '-' or 'stdio' to use 
stdin/stdout of gdbserver.
PROG is the executable program.  ARGS are arguments passed to inferior.
PID is the process ID to attach to, when --attach is specified.

Operating modes:

  --attach              Attach to running process PID.
  --multi               Start server without a specific program, and
                        only quit when explicitly commanded.
  --once                Exit after the first connection has closed.
  --help                Print this message and then exit.
  --version             Display version information and exit.

Other options:

  --wrapper WRAPPER --  Run WRAPPER to start new programs.
  --disable-randomization
                        Run PROG with address space randomization disabled.
  --no-disable-randomization
                        Don't disable address space randomization when
                        starting PROG.
  --startup-with-shell
                        Start PROG using a shell.  I.e., execs a shell that
                        then execs PROG.  (default)
  --no-startup-with-shell
                        Exec PROG directly instead of using a shell.
                        Disables argument globbing and variable substitution
                        on UNIX-like systems.

Debug options:

  --debug[=OPT1,OPT2,...]
                        Enable debugging output.
                          Options:
                            all, threads, event-loop, remote
  --debug-file=FILE     Send debugging output to FILE instead of stderr.
  --debug-format=OPT1[,OPT2,...]
                        Specify extra content in debugging output.
                          Options:
                            all
                            none
                            timestamp
  --remote-debug        Enable remote protocol debugging output.
  --event-loop-debug    Enable event loop debugging output.
  --disable-packet=OPT1[,OPT2,...]
                        Disable support for RSP packets or features.
                          Options:
                            vCont, T, Tthread, qC, qfThreadInfo and 
                            threads (disable all threading packets).
  --selftest            Run the built-in checks and exit.

ntrace's own options:

  --no-escape-args      Leave special shell characters in PROG's arguments
                        to the shell.
  COMM                  HOST is obeyed and an empty HOST means loopback only;
                        unix:PATH listens on a Unix socket.
  --engine=NAME         kernel, embedded, or auto (default): who traces.
  --observe             Look and never disturb: nothing is stopped, every
                        change is refused. With --attach or --multi.
  --no-grace            Resume all threads at once; without it the one that
                        stopped last runs half a millisecond ahead of others.
  --no-awake            Let processors sleep between packets, which then take
                        longer (root only; others cannot keep them awake).
  --no-priority         Share processors as others do; without it the server
                        runs before whatever computes (root only).
  --log-packets=FILE    Append one line per packet, with its time, to FILE.

For more information, consult the GDB manual (available as on-line 
info or a printed manual).
`;

/** What --disable-packet alone lists. */
export const DISABLEABLE = `Disableable packets:
  vCont       	All vCont packets
  qC          	Querying the current thread
  qfThreadInfo	Thread listing
  Tthread     	Passing the thread specifier in the T stop reply packet
  threads     	All of the above
  T           	All 'T' packets
`;
