// The record tables against the compiler: every size, offset, enum value and request number.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Call } from '../../src/engine/channel/calls';
import * as enums from '../../src/engine/channel/enums';
import { EventType } from '../../src/engine/channel/event';
import * as records from '../../src/engine/channel/records';
import { repositoryRoot } from '../support/root';

const header = path.join(repositoryRoot, 'kernel/uapi/ntrace.h');

/** C expressions whose values the tables claim, by expression. */
function claims(): Map<string, bigint> {
  const out = new Map<string, bigint>();
  const claim = (expression: string, value: number | bigint) => out.set(expression, BigInt(value));
  for (const { name, size, fields } of records.LAYOUTS) {
    const type = `struct ntrace_${name}`;
    claim(`sizeof(${type})`, size);
    for (const field of fields) {
      claim(`offsetof(${type}, ${field.name})`, field.offset);
      claim(`sizeof(((${type} *)0)->${field.name})`, field.size);
    }
  }
  const shout = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
  const calls: Record<string, string> = {
    GetRegs: 'GETREGS',
    SetRegs: 'SETREGS',
    ReadMem: 'READMEM',
    WriteMem: 'WRITEMEM',
  };
  for (const [name, value] of Object.entries(Call)) {
    claim(`NTRACE_IOC_${calls[name] ?? shout(name)}`, value);
  }
  enums.FEATURES.forEach((name, bit) => claim(`NTRACE_F_${name.toUpperCase()}`, bit));
  const numbers = (prefix: string, members: object, names: Record<string, string> = {}) => {
    for (const [name, value] of Object.entries(members)) {
      if (typeof value === 'number') claim(`${prefix}${names[name] ?? shout(name)}`, value);
    }
  };
  numbers('NTRACE_ATTACH_', enums.AttachFlag);
  numbers('NTRACE_RELEASE_', enums.ReleaseMode);
  numbers('NTRACE_WHY_', enums.Refusal);
  numbers('NTRACE_THREAD_', enums.ThreadState);
  numbers('NTRACE_THREAD_', enums.ThreadFlag);
  numbers('NTRACE_ACT_', enums.Action);
  numbers('NTRACE_STOP_', enums.StopFlag);
  numbers('NTRACE_', enums.Break, { Software: 'BREAK_SW', Hardware: 'BREAK_HW' });
  numbers('NTRACE_SET_', enums.SetValid);
  numbers('NTRACE_FOLLOW_', enums.Follow);
  numbers('NTRACE_EVF_', enums.EventFlag);
  numbers('NTRACE_EV_', EventType, {
    HwBreak: 'HWBREAK',
    NewThread: 'NEWTHREAD',
    JobStop: 'JOBSTOP',
  });
  numbers('NTRACE_COLLECT_', enums.CollectType);
  numbers('NTRACE_TRACE_', enums.TraceCommand);
  numbers('NTRACE_TRACE_', enums.TraceReason);
  numbers('NTRACE_BLOCK_', enums.BlockType);
  claim('NTRACE_TP_ENABLED', enums.TP_ENABLED);
  claim('NTRACE_COLLECT_STEP', enums.COLLECT_STEP);
  claim('NTRACE_COLLECT_ABSOLUTE', enums.COLLECT_ABSOLUTE);
  claim('NTRACE_TRACE_CIRCULAR', enums.TRACE_CIRCULAR);
  claim('NTRACE_VARIABLE_SET', enums.VARIABLE_SET);
  claim('NTRACE_VARIABLES', enums.VARIABLES);
  claim('NTRACE_VARIABLE_TIMESTAMP', enums.VARIABLE_TIMESTAMP);
  claim('NTRACE_ABI_VERSION', records.ABI_VERSION);
  claim('NTRACE_LABEL_LEN', records.LABEL_LEN);
  claim('NTRACE_SYSCALL_WORDS', records.SYSCALL_WORDS);
  claim('NTRACE_HELLO_OBSERVER', enums.HELLO_OBSERVER);
  claim('NTRACE_NT_SIGINFO', enums.NT_SIGINFO);
  claim('NTRACE_MEM_RAW', enums.MEM_RAW);
  return out;
}

function compiled(expressions: Iterable<string>): Map<string, bigint> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-layout-'));
  try {
    const lines = [...expressions].map(
      (e) => `printf("%llu %s\\n", (unsigned long long)(${e}), "${e}");`,
    );
    const source = `#include <stddef.h>
#include <stdio.h>
#include "${header}"
int main(void) { ${lines.join('\n')} return 0; }`;
    fs.writeFileSync(path.join(dir, 'layout.c'), source);
    execFileSync('gcc', ['-Wall', '-o', 'layout', 'layout.c'], { cwd: dir });
    const text = execFileSync(path.join(dir, 'layout'), { encoding: 'utf8' });
    return new Map(
      text
        .trim()
        .split('\n')
        .map((line) => {
          const space = line.indexOf(' ');
          return [line.slice(space + 1), BigInt(line.slice(0, space))];
        }),
    );
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

test('sizes, offsets, enum values and request numbers are the compiler’s', () => {
  const claimed = claims();
  expect(compiled(claimed.keys())).toEqual(claimed);
});

test('nothing of the header is missing from the tables', () => {
  const text = fs.readFileSync(header, 'utf8');
  const known = [...claims().keys()].join('\n');
  const structs = [...text.matchAll(/^struct (ntrace_\w+) \{/gm)].map((m) => m[1]);
  expect(structs.length).toBe(records.LAYOUTS.length);
  for (const tag of structs) expect(known).toContain(`sizeof(struct ${tag})`);
  for (const [, call] of text.matchAll(/^#define (NTRACE_IOC_\w+) NTRACE_IOC\(\d/gm)) {
    expect(known).toContain(call);
  }
  for (const [, event] of text.matchAll(/^\t(NTRACE_(?:EV|F|WHY|ACT)_\w+) = /gm)) {
    expect(known.split('\n')).toContain(event);
  }
  const fields = [...text.matchAll(/^struct ntrace_\w+ \{[^}]*\}/gm)].flatMap(([body]) => [
    ...body.matchAll(/^\t(?:__[us]\d+|char) \w+(?:\[\w+\])?;/gm),
  ]).length;
  expect(records.LAYOUTS.flatMap((record) => record.fields).length).toBe(fields);
});
