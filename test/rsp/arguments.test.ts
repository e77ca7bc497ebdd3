import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openEmbedded } from '../../src/engine/channel/embedded';
import { openEngine, type Engine } from '../../src/engine/engine';
import { plainWords, quoteWords, splitWords } from '../../src/rsp/shell-words';
import { Client, hex } from './client';

const PRINTF = '/usr/bin/printf';
const WORDS = ['plain', 'a b', '', "it's", '$HOME', '*.c', '~', 'x=1', 'a\nb', '"', '\\', '!', 'ü'];

const shell = (line: string): string[] =>
  execFileSync('/bin/sh', ['-c', `${PRINTF} '%s\\0' ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

test('a shell reads quoted words as they were, and so do we', () => {
  expect(shell(quoteWords(WORDS))).toEqual(WORDS);
  expect(splitWords(quoteWords(WORDS))).toEqual(WORDS);
  for (const word of WORDS) expect(shell(quoteWords([word]))).toEqual([word]);
});

test('a line is split as a shell does it, where nothing is to be expanded', () => {
  for (const line of ['a  b', ' a\tb ', `'a b'c"d e"`, 'a\\ b', `"a\\"b\\c" '\\'`, `"" ''`, '\\\\'])
    expect(splitWords(line)).toEqual(shell(line));
  for (const line of [`'a`, 'b "', `"'`]) expect(splitWords(line)).toBeUndefined();
});

test('words that are the same with and without a shell', () => {
  expect(plainWords('  -n 5 --file=/a/b.c,d:e ')).toEqual(['-n', '5', '--file=/a/b.c,d:e']);
  expect(plainWords('')).toEqual([]);
  for (const line of ['*', '~', '~/x', 'a;b', '$x', 'a>b', "'a'", '#', 'a\\b', '=x', '`x`', '!x'])
    expect(plainWords(line)).toBeUndefined();
});

describe('a client that sends arguments as one string', () => {
  let engine: Engine;
  let client: Client;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-arguments-'));

  beforeEach(() => {
    engine = openEngine(openEmbedded(), { label: 'test' });
    client = new Client(engine);
    const features = client.ask('qSupported:multiprocess+;single-inf-arg+').split(';');
    expect(features).toContain('single-inf-arg+');
    client.ask('QStartupWithShell:1');
  });
  afterEach(() => engine.close());
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** Starts printf; the arguments it has at its first instruction. */
  function run(...words: string[]): string[] {
    const reply = client.ask(`vRun;${[PRINTF, ...words].map((word) => hex(word)).join(';')}`);
    const [, pid = reply] = /thread:p([0-9a-f]+)\./.exec(reply) ?? [];
    const line = fs.readFileSync(`/proc/${parseInt(pid, 16)}/cmdline`, 'utf8');
    return line.split('\0').slice(1, -1);
  }

  test('has them read by a shell', () => {
    process.env['NTRACE_TEST_WORD'] = 'one two';
    const out = path.join(folder, 'out');
    expect(run(`'%s|' "$NTRACE_TEST_WORD" a\\ b $((1 + 2)) > ${out}`)).toEqual([
      ...['%s|', 'one two', 'a b', '3'],
    ]);
    client.all('vCont;c');
    client.settle();
    expect(fs.readFileSync(out, 'utf8')).toBe('one two|a b|3|');
  });

  test('gets words that need none, and no words', () => {
    expect(run('%s 1  -x')).toEqual(['%s', '1', '-x']);
    expect(run()).toEqual([]);
  });

  test('has nothing expanded without a shell, and is told of a quote without an end', () => {
    client.ask('QStartupWithShell:0');
    expect(run(`'%s x' $HOME "*"`)).toEqual(['%s x', '$HOME', '*']);
    expect(client.ask(`vRun;${hex(PRINTF)};${hex("it's")}`)).toMatch(/^E/);
    expect(client.ask(`vRun;${hex(PRINTF)};61;62`)).toMatch(/^E/);
  });

  test('keeps them for a program without a name, and can ask for them', () => {
    expect(client.ask('qExecAndArgs')).toBe('U');
    run('a  b');
    expect(client.ask('qExecAndArgs')).toBe(`S;${hex(PRINTF)};${hex('a  b')};`);
  });

  test('is not offered the feature unless it has it: words are words then', () => {
    expect(client.ask('qSupported:multiprocess+')).not.toContain('single-inf-arg');
    expect(run('a b', '$HOME')).toEqual(['a b', '$HOME']);
    expect(client.ask('qExecAndArgs')).toBe(`S;${hex(PRINTF)};${hex(`'a b' '$HOME'`)};`);
  });
});
