// Types for every operation: `src/**/x.graphql` becomes `src/gql/**/x.ts`, one module each, so that a page's documents
// lie in the page's own chunk. Documents are strings, so no GraphQL parser reaches the browser.
import { codegen } from '@graphql-codegen/core'
import * as types from '@graphql-codegen/typescript'
import * as operations from '@graphql-codegen/typescript-operations'
import { buildSchema, Kind, parse, print, printSchema, stripIgnoredCharacters, validate, visit } from 'graphql'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
const target = join(source, 'gql')

const CONFIG = {
  scalars: { ID: 'string', Date: 'string', DateTime: 'string', Decimal: 'string', JSON: 'unknown' },
  defaultScalarType: 'unknown',
  strictScalars: true,
  skipTypename: true,
  useTypeImports: true,
}

/** Writes the modules anew. A file that is wrong keeps nobody from the others; it is told at the end. */
export async function generate() {
  const schema = buildSchema(readFileSync(join(root, '../schema.graphql'), 'utf8'), { assumeValidSDL: true })
  const ast = parse(printSchema(schema))
  const wrong = []
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.graphql'))
    .flatMap((file) => {
      try {
        return [{ file, document: parse(readFileSync(join(source, file), 'utf8')) }]
      } catch (error) {
        wrong.push(`${file}: ${error.message}`)
        return []
      }
    })
  const fragments = new Map()
  for (const { document } of files) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
    }
  }
  const wanted = new Set(['types.ts'])
  for (const { file, document } of files) {
    const at = join(target, file.replace(/\.graphql$/, '.ts'))
    wanted.add(relative(target, at))
    try {
      write(at, await moduleOf(file, document, { schema, ast, fragments }))
    } catch (error) {
      wrong.push(error.message)
    }
  }
  write(join(target, 'types.ts'), await vocabulary(ast))
  for (const old of existsSync(target) ? readdirSync(target, { recursive: true, encoding: 'utf8' }) : []) {
    if (old.endsWith('.ts') && !wanted.has(old)) rmSync(join(target, old))
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'))
}

/** The module of one file of operations. */
async function moduleOf(file, document, { schema, ast, fragments }) {
  const whole = complete(document, fragments, file)
  const wrong = validate(schema, whole).filter((error) => !error.message.includes('is never used'))
  if (wrong.length > 0) throw new Error(`${file}: ${wrong.map((error) => error.message).join('; ')}`)
  const typed = await codegen({
    filename: file,
    schema: ast,
    documents: [{ location: file, document: whole }],
    plugins: [{ operations: {} }],
    pluginMap: { operations },
    config: {
      ...CONFIG,
      enumType: 'string-literal',
      avoidOptionals: { field: true, inputValue: false, object: false },
      dedupeFragments: true,
    },
  })
  const texts = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((operation) => text(operation, fragments, file))
  const head = texts.length > 0 ? "import type { Doc } from '$lib/api/doc'\n\n" : ''
  return `${head}${typed}\n${texts.join('\n')}\n`
}

/** The enums and inputs of the whole schema, for code that is no operation's own. */
function vocabulary(schema) {
  return codegen({
    filename: 'types.ts',
    schema,
    documents: [],
    plugins: [{ types: {} }],
    pluginMap: { types },
    config: { ...CONFIG, enumsAsTypes: true, onlyOperationTypes: false, inputMaybeValue: 'T | null | undefined' },
  })
}

/** The document with the fragments of other files that it needs. */
function complete(document, fragments, file) {
  const own = new Set(document.definitions.map((definition) => definition.name?.value))
  const more = [...used(document, fragments, file)].filter((name) => !own.has(name))
  return { ...document, definitions: [...document.definitions, ...more.map((name) => fragments.get(name))] }
}

/** The fragments that a node uses, and those that they use. */
function used(node, fragments, file, seen = new Set()) {
  visit(node, {
    FragmentSpread({ name: { value } }) {
      if (seen.has(value)) return
      const fragment = fragments.get(value)
      if (!fragment) throw new Error(`${file}: there is no fragment ${value}`)
      seen.add(value)
      used(fragment, fragments, file, seen)
    },
  })
  return seen
}

function text(operation, fragments, file) {
  const name = operation.name?.value
  if (!name) throw new Error(`${file}: an operation has no name`)
  const kind = operation.operation[0].toUpperCase() + operation.operation.slice(1)
  const parts = [...used(operation, fragments, file)].map((fragment) => print(fragments.get(fragment)))
  const whole = stripIgnoredCharacters([print(operation), ...parts].join('\n'))
  const type = `${name}${kind}`
  return `export const ${name}Document = ${JSON.stringify(whole)} as Doc<${type}, ${type}Variables>`
}

/** Writes a file if it differs, so that nothing is rebuilt in vain. */
function write(path, content) {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await generate().catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
