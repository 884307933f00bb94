/** Where there may be images that other machines have made. What is wrong with it keeps nobody from making them here. */
export interface Shelf {
  /** Fetches the image of the recipe `id` into the new directory `dir`, and tells whether it is there now, whole. */
  fetchImage(id: string, dir: string, signal?: AbortSignal): Promise<boolean>
  /** Puts the image of the recipe `id` there, in the background. */
  offerImage(id: string, dir: string): void
  /** Fetches the private key that its images accept as the new file `file`, and tells whether it is there now. */
  fetchKey(file: string, signal?: AbortSignal): Promise<boolean>
  /** Makes the private key in `file` the one that its images accept. Where there is another one, the shelf is of no use here. */
  joinKey(file: string, signal?: AbortSignal): Promise<void>
}
