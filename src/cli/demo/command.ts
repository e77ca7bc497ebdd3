import type { CommandModule } from 'yargs';

export const command: CommandModule<object, { stack: boolean }> = {
  command: 'demo',
  describe: 'watch gdb debug a small program while an observer prints its system calls',
  builder: {
    stack: {
      type: 'boolean',
      default: false,
      describe: 'another story: two gdbs and two straces on one program (needs the module)',
    },
  },
  handler: async ({ stack }) => {
    const story = stack
      ? (await import('./stack/demo.js')).stackDemo
      : (await import('./demo.js')).demo;
    process.exit((await story()) ? 0 : 1);
  },
};
