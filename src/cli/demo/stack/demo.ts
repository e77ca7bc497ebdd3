import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Server } from '../../../rsp/server';
import { paint } from '../../paint';
import { Stage, verdict } from '../stage';
import { Kitchen, SOURCE } from './kitchen';
import { Story } from './story';

/** Two gdbs and two straces on one program; false if any step did not show what it should. */
export async function stackDemo(): Promise<boolean> {
  const started = Date.now();
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ntrace-demo-'));
  try {
    const server = serve();
    try {
      const port = server.listenTcp('127.0.0.1', 0);
      server.run();
      introduce();
      const kitchen = await Kitchen.open(dir);
      const stage = new Stage();
      const story = new Story(stage, kitchen, port);
      try {
        await story.play();
      } finally {
        await story.close();
        await kitchen.close();
      }
      return verdict(stage.failures, started);
    } finally {
      server.shutdown();
    }
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function introduce(): void {
  console.log(paint('The kitchen', 'bold', 'yellow'));
  console.log(
    `Linux ${os.release()} lets one tracer trace a thread. Two cooks, a chopper and a stirrer, write\n` +
      'down what they do; four tools look over their shoulders at the same time: the real strace,\n' +
      'ntrace strace, and two gdbs. None of them knows of the others.\n',
  );
  console.log(paint(`$ gcc -g -pthread ${SOURCE} -o kitchen && ./kitchen book &`, 'dim'));
}

/** An engine for each client, of the module: ptrace is strace's here. */
function serve(): Server {
  return new Server({
    engine: 'kernel',
    program: {
      program: [],
      wrapper: [],
      noRandomize: true,
      startupWithShell: true,
      cwd: undefined,
      environment: new Map(),
    },
    once: false,
    multi: true,
    perClient: true,
    disabledPackets: new Set(),
    say: () => undefined,
  });
}
