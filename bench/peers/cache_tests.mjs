// Origin and client of the npm package http-cache-tests, in one process on 127.0.0.1.
//
// usage: node cache_tests.mjs PACKAGE_FOLDER PORT [ID,...]
//
// Listens on PORT, says "ready", reads the URL of the cache in front of it from standard input,
// runs the tests (or those named) and prints one line of JSON:
// {tests: [{id, suite, kind, depends_on}], results: {id: true | [error, message]}}

import http from 'node:http'
import path from 'node:path'
import readline from 'node:readline/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [folder, port, wanted] = process.argv.slice(2)
const load = file => import(pathToFileURL(path.join(folder, file)))

// What a test's origin has to say about odd requests is no result.
const print = console.log
console.log = () => {}

const handlers = {}
for (const name of ['config', 'state', 'test']) {
  handlers[name] = (await load(`server/handle-${name}.mjs`)).default
}
const server = http.createServer((request, response) => {
  const [name, ...rest] = new URL(request.url, 'http://127.0.0.1').pathname.split('/').slice(1)
  if (Object.hasOwn(handlers, name)) {
    handlers[name](rest, request, response)
  } else {
    response.writeHead(404).end()
  }
})
// Longer than a pause in the tests: a connection that a cache keeps is not closed under it.
server.keepAliveTimeout = 60_000
await new Promise(resolve => server.listen(Number(port), '127.0.0.1', resolve))
print('ready')

const lines = readline.createInterface({ input: process.stdin })
const url = await new Promise(resolve => lines.once('line', resolve))
lines.close()

const { runTests, getResults } = await load('client/runner.mjs')
const chosen = wanted && new Set(wanted.split(','))
const suites = [...(await load('tests/index.mjs')).default,
  (await load('tests/surrogate-control.mjs')).default]
  .map(suite => ({
    ...suite,
    tests: suite.tests.filter(test => !test.browser_only && (!chosen || chosen.has(test.id)))
  }))
const fetch = createRequire(path.join(path.resolve(folder), 'cli.mjs'))('node-fetch')
// A cache that never answers fails the test, and not the run.
const patient = (address, init) => fetch(address, { timeout: 20_000, ...init })
await runTests(suites, patient, false, url)
print(JSON.stringify({
  tests: suites.flatMap(suite => suite.tests.map(test => ({
    id: test.id,
    suite: suite.name,
    kind: test.kind ?? 'required',
    depends_on: test.depends_on ?? []
  }))),
  results: getResults()
}))
process.stdout.write('', () => process.exit(0))
