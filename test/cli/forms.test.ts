// Our command line beside gdbserver's own: the same words, the same exit code, form by form.
import { command, testIf } from '../gdb/support/needs';
import { ServerProcess } from '../gdb/support/server-process';

interface Outcome {
  end: number | string;
  stdout: string;
  stderr: string;
}

const sideBySide = testIf(command('gdbserver'));

/** Runs until it ends, or until it listens, and then ends it by SIGTERM. */
async function run(executable: string | undefined, args: readonly string[]): Promise<Outcome> {
  const server = ServerProcess.start(args, executable === undefined ? {} : { executable });
  await server.says(/Listening on port \d+\n/);
  const end = await server.stop();
  return { end, stdout: server.stdout, stderr: plain(server.stderr) };
}

const plain = (text: string): string =>
  text.replace(/pid = \d+/g, 'pid = N').replace(/port \d+/g, 'port N');

async function both(args: readonly string[]): Promise<{ ours: Outcome; theirs: Outcome }> {
  const [ours, theirs] = await Promise.all([run(undefined, args), run('gdbserver', args)]);
  return { ours, theirs };
}

const SAME: string[][] = [
  ['--bogus'],
  ['--disable-packet'],
  ['--disable-packet=foo', ':0', '/bin/true'],
  ['--debug-format=foo', ':0', '/bin/true'],
  ['--debug-file'],
  [':0', '/bin/true'],
  ['--once', '127.0.0.1:0', '/bin/true'],
  ['--once', 'localhost:0', '/bin/true', '', 'first arg'],
  ['--once', '::1:0', '/bin/true'],
  ['--once', '[::1]:0', '/bin/true'],
  ['--multi', ':0'],
  ['--once', '--multi', 'localhost:0'],
  ['--multi', ':0', '/bin/true'],
  ['--once', '--disable-packet=T,qfThreadInfo', 'localhost:0', '/bin/true'],
  ['--once', '--disable-packet=threads', 'localhost:0', '/bin/true'],
  ['--wrapper', 'env', 'TEST=1', '--', 'localhost:0', '/bin/true'],
  ['--no-startup-with-shell', '--no-disable-randomization', ':0', '/bin/true'],
  ['--debug-format=all,timestamp,none', '--multi', ':0'],
  ['--event-loop-debug', '--multi', ':0'],
  ['tcp8:123:5000', '/bin/true'],
  ['udp123::::5000', '/bin/true'],
  ['garbage:1234:5000', '/bin/true'],
  ['udp:localhost:5000', '/bin/true'],
  [':abc', '/bin/true'],
  [':-1', '/bin/true'],
  ['nohost.invalid:0', '/bin/true'],
  ['[::1:0', '/bin/true'],
  ['[::1]x:0', '/bin/true'],
  ['::1]:0', '/bin/true'],
  ['--no-startup-with-shell', ':0', '/nonexistent'],
  ['--no-startup-with-shell', 'stdio', '/etc/passwd'],
];

describe('the same as gdbserver', () => {
  for (const args of SAME)
    sideBySide(args.join(' '), async () => {
      const { ours, theirs } = await both(args);
      expect(ours).toEqual(theirs);
    });

  sideBySide('an address in use', async () => {
    const taken = ServerProcess.start(['--multi', ':0']);
    const spec = `localhost:${await taken.port()}`;
    const ours = await run(undefined, ['--once', spec, '/bin/true']);
    await taken.stop();
    expect(ours.stderr).toBe("Can't bind address: Address already in use.\nExiting\n");
    expect(ours.end).toBe(1);
  });
});

// the text may say more than gdbserver's: the first line or two and the exit code are the same
const USAGE: string[][] = [
  [],
  ['--once'],
  ['--wrapper'],
  ['--wrapper', 'env'],
  ['--wrapper', '--', ':0', '/bin/true'],
  ['--attach'],
  ['--attach', ':0'],
  ['--attach', ':0', 'abc'],
  ['--attach', ':0', '0'],
  ['--attach', ':0', '1', '2'],
  ['--multi', '--attach', ':0'],
  [':0', '--attach'],
  [':0', '--attach', 'abc'],
  ['-'],
  ['stdio', '--attach'],
  ['--disable-packet=T'],
  ['--disable-packet=', ':0'],
  ['--debug-format=all'],
];

describe('usage, as gdbserver', () => {
  for (const args of USAGE)
    sideBySide(args.join(' ') || '(nothing)', async () => {
      const { ours, theirs } = await both(args);
      const head = ({ stderr }: Outcome): string => stderr.split('\nDebug options:')[0] ?? '';
      expect(head(ours)).toBe(head(theirs));
      expect(head(ours)).toMatch(/^Usage:\tgdbserver \[OPTIONS\] COMM PROG \[ARGS \.\.\.\]\n/);
      expect([ours.end, ours.stdout]).toEqual([theirs.end, theirs.stdout]);
    });

  sideBySide('--help goes to standard output', async () => {
    const { ours, theirs } = await both(['--help']);
    expect([ours.end, ours.stderr]).toEqual([theirs.end, theirs.stderr]);
    expect(ours.stdout.split('\n')[0]).toBe(theirs.stdout.split('\n')[0]);
  });
});

describe('start-up failures, as gdbserver', () => {
  for (const args of [
    [':0', '/nonexistent'],
    ['stdio', 'non-existing-program'],
    [':0', '/etc/passwd'],
    [':0', '/'],
    ['--wrapper', 'no-such-wrapper', '--', ':0', '/bin/true'],
    ['--wrapper', 'false', '--', ':0', '/bin/true'],
    ['--wrapper', 'env', 'A=1', '--', ':0', '/nonexistent'],
  ])
    sideBySide(args.join(' '), async () => {
      const { ours, theirs } = await both(args);
      expect(ours.stderr).toMatch(/During startup program exited with code \d+\.\nExiting\n$/);
      expect(ours.stderr.split('\n').slice(-3)).toEqual(theirs.stderr.split('\n').slice(-3));
      expect(ours.end).toBe(theirs.end);
    });

  test('a program that is not there, in the words gdb waits for', async () => {
    const { stderr } = await run(undefined, ['stdio', 'no-such-program']);
    expect(stderr).toContain(
      'exec: no-such-program: not found\nDuring startup program exited with code 127.\nExiting\n',
    );
  });

  sideBySide('attach to a process that is gone', async () => {
    const { ours, theirs } = await both(['--attach', ':0', '99999999']);
    expect(ours.stderr).toMatch(/^Cannot attach to process 99999999: /);
    expect(theirs.stderr).toMatch(/^Cannot attach to process 99999999: /);
    expect(ours.stderr).toMatch(/\nExiting\n$/);
    expect(ours.end).toBe(theirs.end);
  });
});
