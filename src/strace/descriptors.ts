import fs from 'node:fs';
import type { Style } from './call';
import { quote } from './quote';

/** What the descriptors of a process stand for, as /proc tells it. */
export class Descriptors {
  /** "</path>" behind a descriptor, or nothing where it is not open. */
  describe(pid: number, fd: number, style: Style): string {
    const target = this.target(pid, fd);
    if (target === undefined) return '';
    const bytes = Buffer.from(target.replace(/ \(deleted\)$/, ''));
    const text = quote(bytes, 0, bytes.length, style.hex === 2 ? 2 : 0).slice(1, -1);
    const escaped = text.replace(/\\"/g, '"').replace(/>/g, '\\76');
    if (style.descriptors === 2 && target.startsWith('/dev/')) {
      const device = this.device(pid, fd);
      if (device !== '') return `<${escaped}<${device}>>`;
    }
    return `<${escaped}>${target.endsWith(' (deleted)') ? '(deleted)' : ''}`;
  }

  directory(pid: number): string | undefined {
    return this.link(`/proc/${pid}/cwd`);
  }

  private target(pid: number, fd: number): string | undefined {
    return this.link(`/proc/${pid}/fd/${fd}`);
  }

  private link(path: string): string | undefined {
    try {
      return fs.readlinkSync(path);
    } catch {
      return undefined;
    }
  }

  private device(pid: number, fd: number): string {
    try {
      const stat = fs.statSync(`/proc/${pid}/fd/${fd}`);
      const major = (stat.rdev >> 8) & 0xfff;
      const minor = (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00);
      if (stat.isCharacterDevice()) return `char ${major}:${minor}`;
      if (stat.isBlockDevice()) return `block ${major}:${minor}`;
    } catch {
      // closed meanwhile
    }
    return '';
  }
}
