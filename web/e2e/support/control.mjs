// Ends the server as a crash would, and starts it again: the test that runs the scenarios does it.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

async function tell(act) {
  const port = process.env.COULISSE_E2E_CONTROL
  assert.ok(port, 'COULISSE_E2E_CONTROL: only a test that started the server can end it')
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(`${act}\n`)
  assert.equal((await text(socket)).trim(), 'done')
}

export const crash = () => tell('crash')
export const start = () => tell('start')
