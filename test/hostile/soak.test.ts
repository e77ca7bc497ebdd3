// Session after session of attach, break, step and detach against a service that works for others
// meanwhile: it answers every request, and neither it nor the server keeps anything of them.
// NTRACE_SOAK_MS says how long (usually 5 s; `npm run soak` takes 20 minutes).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { ServerProcess } from '../gdb/support/server-process';
import { program, symbols } from '../support/programs';
import { RawClient } from './raw-client';
import { resident } from './watching';

const MS = Number(process.env['NTRACE_SOAK_MS'] ?? 5000);
const THREADS = 8;
/** Until everything that is kept for good is there: a part of the time. */
const WARM = 0.25;
const LEAST_SESSIONS = 20;
const SERVICE_GROWTH = 256 << 10;
/** Node's heap grows until it is collected as a whole: tens of megabytes, however long it takes. */
const SERVER_GROWTH = 32 << 20;

/** One user of the service: the next request goes when the answer is there. */
class User {
  answers = 0n;
  wrong = 0;
  private going = true;
  private constructor(private readonly socket: net.Socket) {
    socket.setNoDelay(true);
  }
  static async connect(port: number): Promise<User> {
    const socket = net.connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new User(socket);
  }
  /** Until end(): resolves when the last answer is there. */
  async work(): Promise<void> {
    const request = Buffer.alloc(8);
    while (this.going) {
      request.writeBigUInt64LE(this.answers);
      this.socket.write(request);
      let answer = Buffer.alloc(0);
      while (answer.length < 8) {
        const [data] = (await once(this.socket, 'data')) as [Buffer];
        answer = Buffer.concat([answer, data]);
      }
      if (answer.length !== 8 || answer.readBigUInt64LE() !== this.answers * 3n + 1n) this.wrong++;
      this.answers++;
    }
    this.socket.destroy();
  }
  end(): void {
    this.going = false;
  }
}

/** What of a process could grow. */
function shape(pid: number): { threads: number; mappings: number; files: number } {
  const lines = (file: string): number => fs.readFileSync(file, 'utf8').split('\n').length;
  return {
    threads: fs.readdirSync(`/proc/${pid}/task`).length,
    mappings: lines(`/proc/${pid}/maps`),
    files: fs.readdirSync(`/proc/${pid}/fd`).length,
  };
}

async function session(port: number, pid: number, site: string): Promise<void> {
  const client = await RawClient.quiet(port);
  expect(await client.ask(`vAttach;${pid.toString(16)}`)).toMatch(/^T/);
  expect(await client.ask(`Z0,${site},1`)).toBe('OK');
  const hit = await client.ask('vCont;c');
  const tid = /^T05.*thread:([0-9a-f]+);/.exec(hit)?.[1];
  if (tid === undefined) throw new Error(`no hit: ${hit}`);
  expect(await client.ask(`vCont;s:${tid}`)).toMatch(/^T05/);
  expect(await client.ask(`z0,${site},1`)).toBe('OK');
  expect(await client.ask('D')).toBe('OK');
  client.vanish();
}

let service: ChildProcess;
let server: ServerProcess;
afterEach(async () => {
  service.kill('SIGKILL');
  await server.stop();
});

test(
  'a service under load answers every request while sessions come and go',
  async () => {
    const file = program('service');
    const site = symbols(file).get('handle')!.toString(16);
    service = spawn(file, [String(THREADS)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = service.pid!;
    const [said] = (await once(service.stdout!, 'data')) as [Buffer];
    server = ServerProcess.start(['--multi', '127.0.0.1:0']);
    const port = await server.port();
    const users = await Promise.all(
      Array.from({ length: THREADS }, async () => User.connect(Number(said))),
    );
    const work = Promise.all(users.map(async (user) => user.work()));

    const began = Date.now();
    let sessions = 0;
    for (; sessions < LEAST_SESSIONS || Date.now() < began + WARM * MS; sessions++)
      await session(port, pid, site);
    const warm = sessions;
    const before = { ...shape(pid), resident: resident(pid) };
    const ours = { ...shape(server.pid), resident: resident(server.pid) };
    let most = 0;
    for (; sessions < warm + LEAST_SESSIONS || Date.now() < began + MS; sessions++) {
      await session(port, pid, site);
      most = Math.max(most, resident(server.pid));
    }
    const after = { ...shape(pid), resident: resident(pid) };

    for (const user of users) user.end();
    await work; // nobody waits for an answer for ever
    const answers = users.reduce((sum, user) => sum + user.answers, 0n);
    const mb = (bytes: number): string => (bytes / (1 << 20)).toFixed(1);
    console.log(
      `${sessions} sessions, ${answers} answers; resident: the server ${mb(ours.resident)} MB, ` +
        `at most ${mb(most)} MB later; the service ${mb(before.resident)}, ${mb(after.resident)} MB`,
    );
    expect(users.map((user) => user.wrong)).toEqual(users.map(() => 0));
    for (const user of users) expect(user.answers).toBeGreaterThan(BigInt(LEAST_SESSIONS));
    expect({ ...after, resident: 0 }).toEqual({ ...before, resident: 0 });
    expect(after.resident - before.resident).toBeLessThan(SERVICE_GROWTH);
    const { threads, files } = shape(server.pid);
    expect(threads).toBe(ours.threads);
    expect(files).toBeLessThanOrEqual(ours.files + 1); // the last connection may be there still
    expect(most - ours.resident).toBeLessThan(SERVER_GROWTH);
  },
  MS + 300_000,
);
