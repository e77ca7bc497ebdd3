import fs from 'node:fs';

/** Trimmed text of a file of the proc or sys file system; undefined where there is none. */
export function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** A field of /proc/self/status. */
export function status(field: string): string | undefined {
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(read('/proc/self/status') ?? '')?.[1];
}

// capabilities(7), by number
const NAMES = (
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable ' +
  'net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio ' +
  'sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time ' +
  'sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog ' +
  'wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'
).split(' ');

/** Names of the capabilities set in a mask of /proc/self/status: "sys_ptrace". */
export function capabilities(mask: string): string[] {
  const bits = BigInt(`0x${mask}`);
  return NAMES.filter((_, bit) => ((bits >> BigInt(bit)) & 1n) === 1n);
}
