/** Of a test whose outcome depends on how busy the machine is: .ci/run may try it once more, alone, and no other. */
export const timing = { tags: ['timing'] };
