# The service, and the gateway of deploy/gateway/: docs/practices/containers.md. Nothing secret is in any layer.
#
#   docker build --build-arg NODE_IMAGE=node:26.10.0-trixie-slim@sha256:... -t nestjs-secure-template:0.1.0 .
#   docker build --build-arg GATEWAY_IMAGE=debian:12-slim@sha256:... --target gateway -t nestjs-secure-template-gateway:0.1.0 .
#
# A tag can be moved, a digest cannot: docker buildx imagetools inspect node:26.10.0-trixie-slim --format '{{.Manifest.Digest}}'
ARG NODE_IMAGE=node:26.10.0-trixie-slim
ARG GATEWAY_IMAGE=debian:12-slim

# The commands of README, "Build and run apart": test/production-install.slow.test.ts runs them.
FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY . .
RUN npm ci && npm run build
RUN mkdir -p ../image && tar -c dist prisma/migrations package.json package-lock.json .npmrc packages/*/package.json packages/*/dist packages/*/sql | tar -x -C ../image
RUN cd ../image && npm ci --omit=dev --omit=optional
# However private the files were where they came from: read by everybody, written by root alone.
RUN chmod -R u=rwX,go=rX /image

FROM ${GATEWAY_IMAGE} AS gateway
RUN apt-get update \
  && apt-get install --yes --no-install-recommends nginx libnginx-mod-http-modsecurity modsecurity-crs \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o 10002 -g 10002 -m 0700 /var/lib/gateway
COPY deploy/gateway /etc/gateway
WORKDIR /etc/gateway
USER 10002:10002
EXPOSE 8443
STOPSIGNAL SIGQUIT
ENTRYPOINT ["nginx", "-p", "/var/lib/gateway/", "-e", "stderr", "-c", "/etc/gateway/nginx.conf", "-g", "daemon off;"]

FROM ${NODE_IMAGE} AS service
# Whoever gets in finds nothing that fetches programs.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn* \
  && install -d -o 10001 -g 10001 -m 0700 /mnt/tombstones
COPY --from=build /image /app
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIRECTORY=/tmp/data
USER 10001:10001
EXPOSE 8443
STOPSIGNAL SIGTERM
# A signal would open the debugger otherwise (ASVS v5.0.0-13.4.2). Commands of operators: dist/cli/main.js <command>.
ENTRYPOINT ["node", "--disable-sigusr1"]
CMD ["dist/main.js"]
