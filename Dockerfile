# The product's image: one for web, worker, beat and migrations. `tools` makes what needs development packages; only its
# results are taken over. To build the same again from another day's base: --build-arg PYTHON=python@sha256:…
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --quiet --require-hashes -r requirements.txt

FROM packages AS tools
COPY requirements-dev.txt .
RUN /venv/bin/pip install --quiet --require-hashes -r requirements-dev.txt
WORKDIR /app
COPY . .
# Settings refuse to load without a key and a database; these two open nothing and stay behind. What is compiled here
# need not be at each start, in a container that cannot write.
RUN /venv/bin/python -m config.catalogues compile \
    && ENVIRONMENT=production SECRET_KEY=unused DATABASE_URL=postgres://unused/unused \
       /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash .

FROM ${PYTHON}
ARG VERSION=development
LABEL org.opencontainers.image.title="payment-operations" \
      org.opencontainers.image.description="Sells with Stripe and never loses track of the money" \
      org.opencontainers.image.version="${VERSION}"
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ENVIRONMENT=production WEB_CONCURRENCY=2 VERSION=${VERSION}
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin app
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=tools /app /app
RUN mkdir -p var && chown app var
USER app
EXPOSE 8000
# Of the web server; compose.yml and deploy/stack.yml ask workers and timetable otherwise.
HEALTHCHECK --interval=10s --start-period=30s CMD ["python", "-m", "config.alive", "web"]
STOPSIGNAL SIGTERM
CMD ["gunicorn", "-c", "python:config.serving", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-tmp-dir", "/dev/shm"]
