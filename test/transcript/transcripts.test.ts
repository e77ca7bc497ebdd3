import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { native } from '../../src/native';
import { Client, hex } from '../rsp/client';
import { SelfSession } from '../rsp/self-session';
import { repositoryRoot } from '../support/root';
import { Scene } from '../support/scene';
import { parseTranscript, play } from './transcript';

const DIRECTORY = path.join(repositoryRoot, 'test/transcript');

/** This process: its memory, and a directory for files. */
function selfWorld(run: (client: Client, variables: Map<string, string>) => void): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-transcript-'));
  const memory = Buffer.from('some text in memory');
  const client = new SelfSession({ switches: { debug: new Set(), timestamps: false } });
  try {
    run(
      client,
      new Map([
        ['pid', process.pid.toString(16)],
        ['memory', native.addressOf(memory).toString(16)],
        ['dir', hex(directory)],
        ['exe', process.execPath],
      ]),
    );
  } finally {
    client.session.close();
    fs.rmSync(directory, { recursive: true });
  }
}

/** A program of the fake machine, launched and held at its first instruction. */
function fakeWorld(
  program: string,
  run: (client: Client, variables: Map<string, string>) => void,
): void {
  const scene = new Scene('fake');
  try {
    const engine = scene.engine('transcript');
    const client = new Client(engine);
    const [inferior, subject] = scene.launch(engine, program);
    const variables = new Map([['pid', inferior.pid.toString(16)]]);
    for (const name of ['main', 'function', 'counter', 'words', 'second'])
      try {
        variables.set(name, subject.address(name).toString(16));
      } catch {
        // not every program has all of them
      }
    run(client, variables);
    client.session.close();
  } finally {
    scene.close();
  }
}

describe.each(fs.readdirSync(DIRECTORY).filter((name) => name.endsWith('.txt')))('%s', (name) => {
  const transcript = parseTranscript(fs.readFileSync(path.join(DIRECTORY, name), 'utf8'));
  const [world, ...rest] = transcript.world;

  test(`${transcript.exchanges.length} packets`, () => {
    const run = (client: Client, variables: Map<string, string>): void =>
      play(transcript, client, variables);
    expect(transcript.exchanges.length).toBeGreaterThan(0);
    if (world === 'self') selfWorld(run);
    else if (world === 'fake') fakeWorld(rest[0]!, run);
    else throw new Error(`there is no world "${world}"`);
  });
});
