// Origin or client of the npm package @grpc/grpc-js on 127.0.0.1, with messages of bare bytes.
//
// usage: node grpc_peer.mjs PACKAGE_FOLDER origin NAME [CERTIFICATE KEY]
//        node grpc_peer.mjs PACKAGE_FOLDER client
//
// An origin prints {"port": N}. Each line of its input changes what it does ({"serving": "SERVING"},
// {"refuses": true}) or only asks, and is answered with what it has seen: {"calls", "cancelled",
// "checks", "last"}. A client prints {}, and runs, for each line {"case": NAME, "target":
// "HOST:PORT", …}, one case through the proxy there: {"failed": null}, or why, and what the case
// has found.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'

const [folder, role, ...rest] = process.argv.slice(2)
const grpc = createRequire(path.join(path.resolve(folder), 'package.json'))('./build/src/index.js')
const { status, Metadata } = grpc

function method (name, requestStream, responseStream) {
  const same = bytes => bytes
  return {
    path: name,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same
  }
}
const echo = {
  unary: method('/test.Echo/Unary', false, false),
  collect: method('/test.Echo/Collect', true, false),
  list: method('/test.Echo/List', false, true),
  chat: method('/test.Echo/Chat', true, true)
}
const health = { check: method('/grpc.health.v1.Health/Check', false, false) }

// ---- the origin

async function origin (name, certificate, key) {
  const seen = { calls: 0, cancelled: 0, checks: 0, last: null }
  let serving = 'SERVING'
  let refuses = false

  function begin (call) {
    seen.calls++
    seen.last = call.metadata.getMap()
    // Said of every call that is over; these are never ended from here.
    if (['nothing', 'stay'].includes(wanted(call))) call.on('cancelled', () => seen.cancelled++)
    const said = new Metadata()
    said.set('x-origin', name)
    for (const [key, value] of Object.entries(call.metadata.getMap())) {
      if (key.startsWith('x-echo')) said.set(key, value)
    }
    if (!refuses) return said
    call.emit('error', { code: status.UNAVAILABLE, details: 'going down' })
    return null
  }
  const wanted = call => call.metadata.get('x-do')[0]
  const endOf = call => {
    const trailers = new Metadata()
    trailers.set('x-trailer', name)
    const large = call.metadata.get('x-large')[0]
    if (large) trailers.set('x-large', 'b'.repeat(Number(large)))
    return trailers
  }

  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1, 'grpc.max_metadata_size': 64 * 1024
  })
  server.addService(echo, {
    unary (call, callback) {
      if (refuses) {
        seen.calls++
        return callback({ code: status.UNAVAILABLE, details: 'going down' })
      }
      const said = begin(call)
      const what = wanted(call)
      if (what === 'nothing') return
      if (what === 'fail') {
        const metadata = endOf(call)
        return callback({ code: status.NOT_FOUND, details: 'größe ☃ 100%', metadata })
      }
      call.sendMetadata(said)
      callback(null, call.request, endOf(call))
    },
    collect (call, callback) {
      begin(call)
      let count = 0
      let bytes = 0
      call.on('data', message => { count++; bytes += message.length })
      call.on('end', () => callback(null, Buffer.from(`${count} ${bytes}`), endOf(call)))
    },
    async list (call) {
      begin(call)
      for (let i = 0; i < 300 && !call.cancelled; i++) {
        if (!call.write(Buffer.from(`${i} `.padEnd(1000, 'x')))) await once(call, 'drain')
        if (wanted(call) === 'stay' && i === 2) return
      }
      call.end(endOf(call))
    },
    chat (call) {
      call.sendMetadata(begin(call))
      call.on('data', message => call.write(message))
      call.on('end', () => call.end(endOf(call)))
    }
  })
  server.addService(health, {
    check (call, callback) {
      seen.checks++
      const asked = call.request.subarray(2).toString()
      if (asked !== 'test.Echo') return callback({ code: status.NOT_FOUND, details: asked })
      callback(null, Buffer.from([8, serving === 'SERVING' ? 1 : 2]))
    }
  })
  const credentials = certificate
    ? grpc.ServerCredentials.createSsl(null, [{
      cert_chain: readFileSync(certificate), private_key: readFileSync(key)
    }])
    : grpc.ServerCredentials.createInsecure()
  const port = await new Promise((resolve, reject) => server.bindAsync('127.0.0.1:0', credentials,
    (error, bound) => (error ? reject(error) : resolve(bound))))
  console.log(JSON.stringify({ port }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const change = JSON.parse(line)
    serving = change.serving ?? serving
    refuses = change.refuses ?? refuses
    console.log(JSON.stringify(seen))
  }
  process.exit(0)
}

// ---- the client

const bytes = size => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 31) & 255))

// What one call has brought; never rejects.
function unary (client, message, fields = {}, options = {}) {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(fields)) metadata.set(key, value)
  const got = { metadata: {}, trailers: {} }
  return new Promise(resolve => {
    got.call = client.makeUnaryRequest(echo.unary.path, echo.unary.requestSerialize,
      echo.unary.responseDeserialize, message, metadata, options,
      (error, answer) => Object.assign(got, { error, answer }))
    got.call.on('metadata', said => { got.metadata = said.getMap() })
    got.call.on('status', ended => {
      got.code = ended.code
      got.details = ended.details
      got.trailers = ended.metadata.getMap()
      setImmediate(resolve, got)
    })
  })
}
const chat = (client, options = {}) => client.makeBidiStreamRequest(echo.chat.path,
  echo.chat.requestSerialize, echo.chat.responseDeserialize, new Metadata(), options)
const list = (client, metadata = new Metadata()) => client.makeServerStreamRequest(echo.list.path,
  echo.list.requestSerialize, echo.list.responseDeserialize, Buffer.from('go'), metadata)
const ended = call => new Promise(resolve => call.on('status', resolve).on('error', () => {}))

const cases = {
  async unary (client) {
    const got = await unary(client, bytes(1000), { 'x-echo': 'a b', 'x-echo-bin': bytes(50) })
    assert.equal(got.code, status.OK, got.details)
    assert.ok(got.answer.equals(bytes(1000)))
    assert.equal(got.metadata['x-echo'], 'a b')
    assert.ok(got.metadata['x-echo-bin'].equals(bytes(50)))
    assert.ok(got.metadata['x-request-id'])
    assert.equal(got.trailers['x-trailer'], got.metadata['x-origin'])
    const empty = await unary(client, Buffer.alloc(0))
    assert.equal(empty.answer.length, 0)
    return { origin: got.metadata['x-origin'] }
  },

  async clientStream (client) {
    const answer = new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(echo.collect.path, echo.collect.requestSerialize,
        echo.collect.responseDeserialize, (error, got) => (error ? reject(error) : resolve(got)))
      for (let i = 0; i < 500; i++) call.write(bytes(i))
      call.end()
    })
    assert.equal((await answer).toString(), `500 ${500 * 499 / 2}`)
  },

  async serverStream (client) {
    const call = list(client)
    const end = ended(call)
    let count = 0
    for await (const message of call) {
      assert.ok(message.toString().startsWith(`${count++} `))
    }
    assert.equal(count, 300)
    assert.equal((await end).code, status.OK)
  },

  // Each message is sent when the one before has come back: nothing may be held up on the way.
  async bidi (client) {
    const call = chat(client)
    const end = ended(call)
    await once(call, 'metadata')
    for (let i = 0; i < 100; i++) {
      const back = once(call, 'data')
      call.write(bytes(i))
      assert.ok((await back)[0].equals(bytes(i)))
    }
    call.end()
    const done = await end
    assert.equal(done.code, status.OK, done.details)
    assert.ok(done.metadata.get('x-trailer')[0])
  },

  // Pauses of three times what the proxy was told to give bodies.
  async silence (client) {
    const call = chat(client)
    const end = ended(call)
    for (let i = 1; i < 4; i++) {
      const back = once(call, 'data')
      call.write(bytes(i))
      assert.ok((await back)[0].equals(bytes(i)))
      await pause(600)
    }
    call.end()
    const done = await end
    assert.equal(done.code, status.OK, done.details)
  },

  async deadline (client) {
    const late = await unary(client, bytes(1), { 'x-do': 'nothing' }, { deadline: Date.now() + 300 })
    assert.equal(late.code, status.DEADLINE_EXCEEDED)
    const intime = await unary(client, bytes(1), {}, { deadline: Date.now() + 20000 })
    assert.equal(intime.code, status.OK, intime.details)
  },

  // The client has no deadline; the route has.
  async routesDeadline (client) {
    const late = await unary(client, bytes(1), { 'x-do': 'nothing' })
    assert.equal(late.code, status.DEADLINE_EXCEEDED)
    assert.match(late.details, /^request_timeout, request id /)
  },

  async cancel (client) {
    const metadata = new Metadata()
    metadata.set('x-do', 'stay')
    const call = list(client, metadata)
    const end = ended(call)
    await once(call, 'data')
    call.cancel()
    assert.equal((await end).code, status.CANCELLED)
  },

  async trailersOnly (client) {
    const got = await unary(client, bytes(1), { 'x-do': 'fail' })
    assert.equal(got.code, status.NOT_FOUND)
    assert.equal(got.details, 'größe ☃ 100%')
    assert.ok(got.trailers['x-trailer'])
  },

  async largeMetadata (client) {
    const got = await unary(client, bytes(1), { 'x-echo': 'a'.repeat(12000), 'x-large': '12000' })
    assert.equal(got.code, status.OK, got.details)
    assert.equal(got.metadata['x-echo'].length, 12000)
    assert.equal(got.trailers['x-large'].length, 12000)
    const beyond = await unary(client, bytes(1), { 'x-echo': 'a'.repeat(40000) })
    assert.equal(beyond.code, status.RESOURCE_EXHAUSTED, beyond.details)
  },

  async largeMessages (client) {
    for (const size of [1, 16383, 16384, 65536, 1 << 20, 12 << 20]) {
      const got = await unary(client, bytes(size))
      assert.equal(got.code, status.OK, got.details)
      assert.ok(got.answer.equals(bytes(size)), `${size} bytes`)
    }
  },

  // How many calls of `count`, one after the other, ended how, and where.
  async count (client, { count }) {
    const codes = {}
    const origins = {}
    for (let i = 0; i < count; i++) {
      const got = await unary(client, bytes(10))
      codes[got.code] = (codes[got.code] ?? 0) + 1
      const where = got.metadata['x-origin'] ?? '-'
      origins[where] = (origins[where] ?? 0) + 1
    }
    return { codes, origins }
  },

  // A stream that is under way; ends() tells how it ended.
  async open (client) {
    open = chat(client)
    open.end_ = ended(open)
    await once(open, 'metadata')
    const back = once(open, 'data')
    open.write(bytes(3))
    await back
  },
  async ends () {
    const { code, details } = await open.end_
    return { code, details }
  }
}
let open

async function client () {
  const clients = {}
  const made = ({ target, ca }) => (clients[target] ??= new grpc.Client(target,
    ca ? grpc.credentials.createSsl(readFileSync(ca)) : grpc.credentials.createInsecure(),
    {
      'grpc.max_receive_message_length': -1,
      'grpc.max_metadata_size': 64 * 1024,
      'grpc.enable_retries': 0,
      'grpc.default_authority': 'site.test',
      ...(ca ? { 'grpc.ssl_target_name_override': 'site.test' } : {})
    }))
  console.log('{}')
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line)
    const patience = new AbortController()
    const late = pause(30000 * asked.scale, null, { signal: patience.signal })
      .then(() => { throw new Error('took too long') })
    late.catch(() => {})
    let answer
    try {
      answer = await Promise.race([cases[asked.case](made(asked), asked), late])
      answer = { failed: null, ...answer }
    } catch (error) {
      answer = { failed: error.stack }
    }
    patience.abort()
    console.log(JSON.stringify(answer))
  }
  process.exit(0)
}

if (role === 'origin') await origin(...rest)
else await client()
