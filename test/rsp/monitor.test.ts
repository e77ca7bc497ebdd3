import { EventType } from '../../src/engine/channel/event';
import type { DebugSwitches } from '../../src/rsp/debug-switches';
import { version } from '../../src/rsp/version';
import { hex, SelfSession } from './self-session';

let switches: DebugSwitches;
let self: SelfSession;
beforeEach(() => {
  switches = { debug: new Set(), timestamps: false };
  self = new SelfSession({ switches });
});

/** What the user reads, and the reply. */
function monitor(command: string, session = self): { text: string; reply: string } {
  const replies = session.all(`qRcmd,${hex(command)}`).map(String);
  const reply = replies.pop()!;
  for (const line of replies) expect(line).toMatch(/^O([0-9a-f]{2})+$/);
  const text = replies.map((line) => Buffer.from(line.slice(1), 'hex').toString()).join('');
  return { text, reply };
}

test('help lists what a gdbserver has, in its words, and what we add', () => {
  const { text, reply } = monitor('help');
  expect(reply).toBe('OK');
  expect(text.startsWith('The following monitor commands are supported:\n')).toBe(true);
  for (const line of [
    '  set debug <0|1>\n    Enable general debugging messages\n',
    '  set debug-hw-points <0|1>\n',
    '  set remote-debug <0|1>\n    Enable remote protocol debugging messages\n',
    '  set event-loop-debug <0|1>\n',
    '  set debug-format option1[,option2,...]\n',
    '    Options: all, none, timestamp\n',
    '  exit\n    Quit GDBserver\n',
    '  who\n',
    '  threads\n',
    '  stats\n',
    '  capabilities\n',
    '  version\n',
  ])
    expect(text).toContain(line);
});

test.each(['', 'nonsense', 'help me', 'exit now', 'set nothing', 'HELP'])(
  'unknown command "%s": the help, then an error',
  (command) => {
    const { text, reply } = monitor(command);
    expect(text).toMatch(/^Unknown monitor command\.\n\nThe following monitor commands are/);
    expect(reply).toBe('E01');
    expect(self.shutdowns).toBe(0);
  },
);

test('malformed commands are refused without output', () => {
  expect(self.ask('qRcmd,6')).toBe('E01');
  expect(self.ask('qRcmd,zz')).toBe('E01');
  expect(self.ask('qRcmd')).toBe('');
});

test('debugging output is switched', () => {
  expect(monitor('set debug 1')).toEqual({ text: 'Debug output enabled.\n', reply: 'OK' });
  expect([...switches.debug]).toEqual(['threads']);
  expect(monitor('set debug 0').text).toBe('Debug output disabled.\n');
  expect(monitor('set remote-debug 1').text).toBe('Protocol debug output enabled.\n');
  expect([...switches.debug]).toEqual(['remote']);
  expect(monitor('set debug remote off').text).toBe("Debug output for 'remote' disabled.\n");
  expect([...switches.debug]).toEqual([]);
  expect(monitor('set debug all on').reply).toBe('OK');
  expect(switches.debug.size).toBe(3);
  expect(monitor('set debug off').text).toBe('All debug output disabled.\n');
  expect([...switches.debug]).toEqual([]);
});

test.each([
  ['set debug 2', "Missing value for 'set debug 2' command."],
  ['set debug all', "Missing value for 'set debug all' command."],
  ['set debug all 2', "Invalid value '2' for 'set debug all'."],
  ['set debug on now', "Junk 'now' found at end of 'set debug on' command."],
  ['set debug remote on now', "Junk 'now' found at end of 'set debug remote on' command."],
])('"%s" is no way to switch it', (command, words) => {
  const { text, reply } = monitor(command);
  expect(text.startsWith(`${words}\nThe following monitor commands are supported:`)).toBe(true);
  expect(reply).toBe('E01');
});

test('the format of debugging output', () => {
  expect(monitor('set debug-format all').text).toBe('All extra debug format options enabled.\n');
  expect(switches.timestamps).toBe(true);
  expect(monitor('set debug-format none').text).toBe('All extra debug format options disabled.\n');
  expect(switches.timestamps).toBe(false);
  expect(monitor('set debug-format timestamp')).toEqual({
    text: 'Timestamps will be added to debug output.\n',
    reply: 'OK',
  });
  const { text, reply } = monitor('set debug-format bogus');
  expect(text).toMatch(/^Unknown debug-format argument: "bogus"\nThe following monitor commands/);
  expect(reply).toBe('E01');
});

test('a server without debugging output says so', () => {
  const plain = new SelfSession();
  plain.session.client.add('error-message+');
  expect(monitor('set debug 1', plain).reply).toMatch(/^E\.this server was started without/);
});

test('exit replies, then ends the server', () => {
  expect(monitor('exit')).toEqual({ text: '', reply: 'OK' });
  expect(self.shutdowns).toBe(1);
});

test('who names engines, holders and reasons', () => {
  expect(monitor('who').text).toBe('Nobody is attached.\n');
  const common = { engineId: 9n, pid: 42, uid: 1000, label: 'strace' };
  const sinceNs = process.hrtime.bigint() - 2_500_000_000n;
  self.state.holders = [
    { ...common, sinceNs, tid: 0, why: 0 },
    { ...common, sinceNs, tid: 77, why: EventType.Break },
  ];
  const lines = monitor('who').text.split('\n');
  expect(lines[1]).toMatch(/^\d+ +all +9 +strace +42 +1000 +attached +2\.\d s$/);
  expect(lines[2]).toMatch(/^\d+ +77 +9 +strace +42 +1000 +holds: breakpoint +2\.\d s$/);
  self.inferiors.clear();
  expect(monitor('who').text).toBe('No process is being debugged.\n');
});

test('threads, stats, capabilities, version', () => {
  expect(monitor('threads').text).toMatch(new RegExp(`\n${process.pid} +${process.pid} +3 .*held`));
  expect(monitor('stats').text).toMatch(/^processes +1\nthreads +1 \(1 held\)\n/);
  expect(monitor('stats').text).not.toMatch(/breakpoint/);
  const none = { evaluated: 0n, trueHits: 0n, falseHits: 0n, errors: 0n, costNs: 0n, native: 0n };
  const common = { pid: 5, type: 0, inserted: true, conditional: false, actions: 0 } as const;
  self.state.breakpoints = [
    { ...common, ...none, addr: 0x1000n, hits: 0n },
    { ...common, ...none, addr: 0x2000n, hits: 7n, inserted: false },
    { ...common, ...none, addr: 0x3000n, hits: 1234567n, conditional: true, costNs: 2469134000n },
    {
      ...common,
      ...none,
      addr: 0x4000n,
      hits: 999n,
      native: 989n,
      conditional: true,
      costNs: 20000n,
    },
  ];
  expect(monitor('stats').text.split('\n\n')[1]).toBe(
    [
      'process, place  kind                       hits  evaluated  true  false  errors  in program  mean cost',
      '5 0x3000        breakpoint            1,234,567          0     0      0       0           0   2,000 ns',
      '5 0x4000        breakpoint                  999          0     0      0       0         989   2,000 ns',
      '5 0x2000        breakpoint (removed)          7          0     0      0       0           0          -',
      '',
    ].join('\n'),
  );
  const { text } = monitor('capabilities');
  expect(text).toMatch(/^provider +test\nhas +attach regsets memory\nhas not +soft_stop /);
  expect(monitor('version').text).toMatch(`ntrace ${version()}, test engine 7, Linux `);
});
