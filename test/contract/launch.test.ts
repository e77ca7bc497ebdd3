import { spawnSync } from 'node:child_process';
import { EventType } from '../../src/engine/channel/event';
import { isAlive } from '../support/subject';
import { contract } from './contract';

contract('launch', (row) => {
  row('holds the program at its first instruction', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'spin');
    const leader = inferior.threads.get(inferior.pid);
    expect(inferior.launched).toBe(true);
    expect(inferior.threads.size).toBe(1);
    expect(leader?.state).toBe('held');
    expect(leader?.stop?.type).toBe(EventType.Exec);
    expect(engine.events()).toEqual([]);
    expect(subject.read('counter')).toBe(0n);
    expect(leader?.stop?.pc).not.toBe(0n);
    engine.resume([{ pid: inferior.pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('a file that is not there is an error with the step', (scene) => {
    const engine = scene.engine();
    const launch = (): unknown => engine.launch({ file: '/nowhere/at/all', args: ['all'] });
    expect(launch).toThrow(/cannot run \/nowhere\/at\/all: .*No such file or directory/);
    expect(engine.inferiors.size).toBe(0);
    expect(engine.events()).toEqual([]);
  });

  row('a directory that is not there is an error with the step', (scene) => {
    const file = scene.file('spin');
    const launch = (): unknown =>
      scene.engine().launch({ file, args: [file], cwd: '/nowhere/at/all' });
    expect(launch).toThrow(/its working directory cannot be entered: No such file or directory/);
  });

  row('through a shell: the second exec is the program', (scene) => {
    const engine = scene.engine();
    const file = scene.file('spin');
    const args = ['sh', '-c', `echo forked | cat >/dev/null; exec ${file}`];
    const inferior = engine.launch({ file: '/bin/sh', args, execs: 2 });
    const subject = scene.subject('spin', inferior.pid);
    expect(subject.read('counter')).toBe(0n);
    expect(engine.events()).toEqual([]);
    engine.resume([{ pid: inferior.pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
  });

  row('a shell that ends before the program is an error', (scene) => {
    const engine = scene.engine();
    const args = ['sh', '-c', 'exit 9'];
    const launch = (): unknown => engine.launch({ file: '/bin/sh', args, execs: 2 });
    expect(launch).toThrow(/exited with status 9 before it got to the program/);
    expect(engine.inferiors.size).toBe(0);
  });

  row('kill ends it and leaves no event behind', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'spin');
    const [other] = scene.launch(engine, 'calls');
    engine.kill(inferior.pid);
    expect(subject.alive()).toBe(false);
    expect([...engine.inferiors.keys()]).toEqual([other.pid]);
    expect(engine.events().filter((event) => event.pid === inferior.pid)).toEqual([]);
    engine.kill(other.pid);
  });

  row('close kills what was launched', (scene) => {
    const engine = scene.engine();
    const [inferior, subject] = scene.launch(engine, 'spin');
    engine.resume([{ pid: inferior.pid, tid: -1, kind: 'cont' }]);
    scene.grows(subject, 'counter');
    engine.close();
    scene.until('it is dead', () => !subject.alive());
  });

  row('what was launched dies with the process that owns it', (scene) => {
    if (!scene.engine().has('exec')) return; // nothing is launched without
    const helper = `
      const { openEngine } = require(${JSON.stringify(require.resolve('../../src/engine/engine'))});
      const { openChannel } = require(${JSON.stringify(
        require.resolve('../../src/engine/channel/open'),
      )});
      const engine = openEngine(openChannel('${scene.provider}'), { label: 'owner' });
      const file = ${JSON.stringify(scene.file('spin'))};
      const { pid } = engine.launch({ file, args: [file] });
      engine.resume([{ pid, tid: -1, kind: 'cont' }]);
      process.stdout.write(String(pid));
      process.kill(process.pid, 'SIGKILL');`;
    const { signal, stdout } = spawnSync(process.execPath, ['-e', helper], { encoding: 'utf8' });
    expect(signal).toBe('SIGKILL');
    const pid = Number(stdout);
    expect(pid).toBeGreaterThan(1);
    scene.until('it is dead', () => !isAlive(pid));
  });

  row('the sets of the caller are in force after it', (scene) => {
    const engine = scene.engine();
    engine.set(0, { lifeStop: [EventType.Fork], followFork: false });
    const [inferior] = scene.launch(engine, 'forker');
    engine.resume([{ pid: inferior.pid, tid: -1, kind: 'cont' }]);
    const event = scene.next(engine, EventType.Fork);
    expect(event.stopId).not.toBe(0n);
    expect(event.child).toBeGreaterThan(0);
    engine.resume([{ pid: inferior.pid, tid: -1, kind: 'cont' }]);
  });
});
