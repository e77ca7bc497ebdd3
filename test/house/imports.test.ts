// The rules of the house: who may import whom, and no mutable state in modules.
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from '../support/root';

const SRC = path.join(repositoryRoot, 'src');

/** Layers, outermost first: a file may import from its own layer and from those listed for it. */
const MAY_IMPORT: Record<string, string[]> = {
  cli: ['rsp', 'wire', 'strace', 'engine', 'channel', 'native'],
  rsp: ['wire', 'engine', 'native'],
  wire: ['native'],
  strace: ['engine', 'channel', 'native'],
  engine: ['channel', 'native'],
  channel: ['native'],
  native: [],
};

/** What stands apart from the rule, and why. */
const EXCEPTIONS: Record<string, string> = {
  'rsp/server.ts -> engine/channel/open.ts': 'the one place that chooses a provider',
};

function layer(file: string): string {
  if (file === 'native.ts') return 'native';
  if (file.startsWith('rsp/wire/')) return 'wire';
  if (file.startsWith('engine/channel/')) return 'channel';
  return file.split('/')[0] ?? '';
}

const files = fs
  .readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'));

function parse(file: string): ts.SourceFile {
  const text = fs.readFileSync(path.join(SRC, file), 'utf8');
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** Local modules a file imports, as paths below src/. */
function imports(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
    if (specifier && ts.isStringLiteral(specifier) && specifier.text.startsWith('.'))
      found.push(resolve(file, specifier.text));
    ts.forEachChild(node, visit);
  };
  visit(parse(file));
  return found;
}

function resolve(from: string, specifier: string): string {
  const base = path.join(path.dirname(from), specifier).replace(/\.js$/, '');
  return files.includes(`${base}.ts`) ? `${base}.ts` : path.join(base, 'index.ts');
}

// channel/event.ts and the like describe data: types may be named from anywhere below cli
function typeOnlyData(target: string): boolean {
  return target === 'engine/channel/event.ts' || target === 'engine/channel/enums.ts';
}

test('there are files to look at', () => {
  expect(files.length).toBeGreaterThan(30);
  expect(files.flatMap(imports).length).toBeGreaterThan(100);
});

test('imports run one way', () => {
  const wrong: string[] = [];
  for (const file of files)
    for (const target of imports(file)) {
      const [from, to] = [layer(file), layer(target)];
      const allowed = from === to || MAY_IMPORT[from]?.includes(to) || typeOnlyData(target);
      const edge = `${file} -> ${target}`;
      if (!allowed && !(edge in EXCEPTIONS)) wrong.push(edge);
    }
  expect(wrong).toEqual([]);
});

test('no provider imports another', () => {
  const providers = ['kernel', 'embedded', 'fake'];
  const providerOf = (file: string): string | undefined =>
    providers.find((name) => new RegExp(`^engine/channel/${name}(/|\\.ts$)`).test(file));
  const wrong = files.flatMap((file) =>
    imports(file)
      .filter((to) => providerOf(file) && providerOf(to) && providerOf(file) !== providerOf(to))
      .map((to) => `${file} -> ${to}`),
  );
  expect(wrong).toEqual([]);
});

test('only native.ts loads the addon', () => {
  const wrong = files.filter(
    (file) => file !== 'native.ts' && /require\([^)]*\.node['"`]/.test(parse(file).text),
  );
  expect(wrong).toEqual([]);
});

test('winston and yargs stay in the command line', () => {
  const wrong = files.filter(
    (file) => layer(file) !== 'cli' && /from '(winston|yargs)'/.test(parse(file).text),
  );
  expect(wrong).toEqual([]);
});

test('no mutable state in modules', () => {
  const wrong: string[] = [];
  for (const file of files)
    for (const statement of parse(file).statements)
      if (
        ts.isVariableStatement(statement) &&
        !(statement.declarationList.flags & (ts.NodeFlags.Const | ts.NodeFlags.Using))
      )
        wrong.push(`${file}: ${statement.getText().split('\n')[0]}`);
  expect(wrong).toEqual([]);
});

test('no path of a machine in the sources', () => {
  const wrong = files.filter((file) => /['"`](\/work\/|\/root\/)/.test(parse(file).text));
  expect(wrong).toEqual([]);
});
