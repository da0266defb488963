# Varnish as a reverse proxy, with and without its cache; the usual forwarded fields.
vcl 4.1;
@if three
import directors;
probe alive {
    .url = "/health";
    .interval = 500ms;
    .timeout = 500ms;
    .window = 3;
    .threshold = 2;
    .initial = 3;
}
backend one {
    .host = "127.0.0.1"; .port = "@ORIGIN@"; .probe = alive;
    .connect_timeout = 1s; .first_byte_timeout = 1s;
}
backend two {
    .host = "127.0.0.1"; .port = "@ORIGIN2@"; .probe = alive;
    .connect_timeout = 1s; .first_byte_timeout = 1s;
}
backend three {
    .host = "127.0.0.1"; .port = "@ORIGIN3@"; .probe = alive;
    .connect_timeout = 1s; .first_byte_timeout = 1s;
}
sub vcl_init {
    new all = directors.round_robin();
    all.add_backend(one);
    all.add_backend(two);
    all.add_backend(three);
}
@else
backend one { .host = "127.0.0.1"; .port = "@ORIGIN@"; }
@end
sub vcl_recv {
    set req.http.X-Forwarded-Proto = "http";
    set req.http.X-Forwarded-Host = req.http.Host;
    set req.http.X-Real-IP = client.ip;
    set req.http.X-Request-Id = req.xid;
    set req.http.Via = "1.1 bench";
@if conform
    # Varnish's own rules decide from here.
@end
@if cache !conform
    return (hash);
@end
@if !cache
    return (pass);
@end
}
@if three
# The director hands out another backend with every try.
sub vcl_backend_fetch { set bereq.backend = all.backend(); }
sub vcl_backend_error {
    if (bereq.retries < 2 && bereq.method == "GET") { return (retry); }
}
@end
sub vcl_deliver { set resp.http.X-Request-Id = req.http.X-Request-Id; }
