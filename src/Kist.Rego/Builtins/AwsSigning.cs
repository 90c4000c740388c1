using System.Globalization;
using System.Security.Cryptography;

namespace Kist.Rego.Builtins;

/// <summary>providers.aws.sign_req: signature version 4 of a request, with keys that the policy has; nothing is sent.</summary>
static class AwsSigning
{
    public static void Register(Registry table) => table.Add("providers.aws.sign_req", 3, (c, a) =>
        c.Object(a, 0, out var request) && c.Object(a, 1, out var config) && c.Integer(a, 2, out var time) ? Sign(request, config, (long)time) : null);

    private static RegoObject Sign(RegoObject request, RegoObject config, long nanoseconds)
    {
        var url = new Uri(Text(request, "url"), UriKind.Absolute);
        var (service, region) = (Text(config, "aws_service"), Text(config, "aws_region"));
        var time = DateTime.UnixEpoch.AddTicks(nanoseconds / 100);
        var date = time.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var stamp = time.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var payload = config["disable_payload_signing"] is { IsTrue: true } ? "UNSIGNED-PAYLOAD" : Hash(Body(request));
        var added = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = url.Authority, ["x-amz-date"] = stamp };
        if (service is "s3" or "glacier")
            added["x-amz-content-sha256"] = payload;
        if (config["aws_session_token"] is RegoString token)
            added["x-amz-security-token"] = token.Value;
        var signed = new SortedDictionary<string, string>(added, StringComparer.Ordinal);
        foreach (var (name, value) in Evaluation.Items.Of(request["headers"] as RegoObject))
        {
            // The request's own headers are signed as they are, but for those that proxies change.
            if (((RegoString)name).Value.ToLowerInvariant() is var header && header is not ("authorization" or "user-agent" or "x-amzn-trace-id"))
                signed[header] = (value as RegoString)?.Value ?? value.ToJson();
        }

        var names = string.Join(';', signed.Keys);
        var canonical = string.Join('\n',
            Text(request, "method"), PathOf(Text(request, "url")), url.Query.TrimStart('?'), string.Concat(signed.Select(h => $"{h.Key}:{h.Value}\n")), names, payload);
        var scope = $"{date}/{region}/{service}/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hash(canonical)}";
        var key = EncodingBuiltins.Bytes("AWS4" + Text(config, "aws_secret_access_key"));
        foreach (var part in new[] { date, region, service, "aws4_request" })
            key = HMACSHA256.HashData(key, EncodingBuiltins.Bytes(part));
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, EncodingBuiltins.Bytes(toSign)));
        added["Authorization"] = $"AWS4-HMAC-SHA256 Credential={Text(config, "aws_access_key")}/{scope},SignedHeaders={names},Signature={signature}";
        return WithHeaders(request, added);
    }

    private static RegoObject WithHeaders(RegoObject request, SortedDictionary<string, string> added)
    {
        var headers = new RegoObjectBuilder(request["headers"] as RegoObject ?? RegoObject.Empty);
        foreach (var (name, value) in added)
            headers[new RegoString(name)] = new RegoString(value);
        return new RegoObjectBuilder(request) { [new RegoString("headers")] = headers.ToObject() }.ToObject();
    }

    private static string Body(RegoObject request) =>
        request["raw_body"] is RegoString raw ? raw.Value : request["body"] is { } body ? JsonWriting.Write(body, escapeHtml: true) : "";

    /// <summary>The path as it is written, which may be empty: as OPA signs it.</summary>
    private static string PathOf(string url)
    {
        var authority = url.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = url.AsSpan(authority).IndexOfAny('?', '#');
        var start = url.IndexOf('/', authority);
        end = end < 0 ? url.Length : authority + end;
        return start < 0 || start > end ? "" : url[start..end];
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(EncodingBuiltins.Bytes(text)));

    private static string Text(RegoObject o, string name) =>
        o[name] is RegoString s ? s.Value : throw new FormatException($"missing required parameter {name}");
}
