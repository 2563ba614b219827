import type { FastifyRequest } from 'fastify'
import type { Moment } from '../../queries/at.ts'
import { viewerOf } from '../../queries/reader.ts'
import type { Frame } from '../../scheme/views.ts'
import { readerOf } from '../plugins/speaker.ts'
import { frameOf, namedIn, peopleIn, ROOT, readAround } from './around.ts'
import { type Pages, type Scene, sceneOf } from './scene.ts'

/** What is around a view that is of no page. @param when as of when; null: now */
export async function standing(
  pages: Pages,
  request: FastifyRequest,
  when: Moment | null = null,
): Promise<{ frame: Frame; scene: Scene }> {
  const viewer = await viewerOf(pages.site, readerOf(request))
  const scene = sceneOf(pages, request, { viewer, path: ROOT, when })
  const [around, named, people] = await Promise.all([
    readAround(scene),
    namedIn(scene, [ROOT]),
    peopleIn(scene),
  ])
  return { scene, frame: frameOf(scene, around, { named, people }) }
}
