// Builds the page's one script into the Python package, stamped with the hash of what it was built from.
// tests/lens/test_bundle.py computes the same hash without npm: a bundle that is older than its sources fails there.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;
const outDir = join(here, '../src/unrolled/lens/static');
const NAMED = ['package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts'];

/** sha256 over "path, newline, text, newline" of every source, in the order of the paths. */
function hashOfSources(): string {
  const sources = readdirSync(join(here, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
  const hash = createHash('sha256');
  for (const path of [...NAMED, ...sources].sort()) {
    const text = readFileSync(join(here, path), 'utf8').replaceAll('\r\n', '\n');
    hash.update(`${path}\n${text}\n`);
  }
  return hash.digest('hex');
}

/** The bundle starts with its stamp and with the licence of the D3 modules inside, so that each page carries both. */
function stamp(): Plugin {
  return {
    name: 'stamp',
    writeBundle() {
      const file = join(outDir, 'lens.js');
      const licence = readFileSync(join(here, 'node_modules/d3-scale/LICENSE'), 'utf8').trim();
      const code = readFileSync(file, 'utf8').trim();
      if (/<\/script|<!--/i.test(code)) throw new Error('the bundle can not stand inside a <script> element');
      const head = `unrolled, the lens. Sources: sha256 ${hashOfSources()}\nContains modules of D3:\n${licence}`;
      writeFileSync(file, `/*! ${head} */\n${code}\n`);
    },
  };
}

export default defineConfig({
  plugins: [stamp()],
  build: {
    outDir,
    emptyOutDir: false,
    copyPublicDir: false,
    target: 'es2022',
    // A library of modules keeps its spaces otherwise.
    rolldownOptions: { output: { minify: true } },
    lib: { entry: join(here, 'src/main.ts'), formats: ['es'], fileName: () => 'lens.js' },
  },
});
