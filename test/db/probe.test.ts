import { env } from 'cloudflare:workers'
import { it } from 'vitest'
import { seedUser } from '../support/accounts'
const all = async (sql: string) => { try { return (await env.DB.prepare(sql).all()).results } catch (e) { return String(e) } }
it('probe', async () => {
  await seedUser(env, 'doctor')
  console.log(JSON.stringify(await all("SELECT type, name, tbl_name FROM sqlite_schema"), null, 0))
  console.log(JSON.stringify(await all("PRAGMA table_list")))
  console.log(JSON.stringify(await all("SELECT m.name, f.* FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type='table' LIMIT 3")))
  console.log(JSON.stringify(await all("PRAGMA foreign_key_list(appointment)")))
  console.log(JSON.stringify(await all("PRAGMA table_info(event)")))
  console.log(JSON.stringify(await all("INSERT INTO event (id,type,subject_id,at,data) VALUES ('a','t','s',1,'{}')")))
  console.log(JSON.stringify(await all("UPDATE event SET rowid = 77 WHERE id='a'")))
  console.log(JSON.stringify(await all("UPDATE event SET oid = 78 WHERE id='a'")))
  console.log(JSON.stringify(await all("UPDATE event SET type = 'x' WHERE id='a'")))
  console.log(JSON.stringify(await all("INSERT OR IGNORE INTO event (id,type,subject_id,at,data) VALUES ('a','t2','s',1,'{}')")))
  console.log(JSON.stringify(await all("INSERT INTO event (id,type,subject_id,at,data) VALUES ('a','t2','s',1,'{}') ON CONFLICT (id) DO UPDATE SET type='zzz'")))
  console.log(JSON.stringify(await all("SELECT * FROM event")))
  console.log(JSON.stringify(await all("UPDATE user SET version='x'")))
  console.log(JSON.stringify(await all("UPDATE user SET version=version+1, created_at='x'")))
  console.log(JSON.stringify(await all("UPDATE event SET at='x'")))
  console.log(JSON.stringify(await all("EXPLAIN QUERY PLAN SELECT * FROM user WHERE id = ?")))
})
