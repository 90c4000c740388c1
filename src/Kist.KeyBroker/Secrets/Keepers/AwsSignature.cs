using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// AWS Signature Version 4 for requests to the path "/" without a query (IAM user guide, "Create a signed AWS API request"):
/// the headers given are all signed.
/// </summary>
static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The value of the header Authorization.</summary>
    /// <param name="method">The method.</param>
    /// <param name="headers">Names in lower case and values of the headers to sign; among them host and x-amz-date.</param>
    /// <param name="body">The request's body.</param>
    /// <param name="credentials">Who signs.</param>
    /// <param name="region">The service's region.</param>
    /// <param name="service">The service's name in signatures.</param>
    /// <param name="now">The time, as in x-amz-date.</param>
    public static string Authorization(
        string method, IEnumerable<(string Name, string Value)> headers, ReadOnlySpan<byte> body, AwsCredentials credentials, string region, string service, DateTimeOffset now)
    {
        var ordered = headers.OrderBy(h => h.Name, StringComparer.Ordinal).ToList();
        var names = string.Join(';', ordered.Select(h => h.Name));
        var canonical = $"{method}\n/\n\n{string.Concat(ordered.Select(h => $"{h.Name}:{h.Value.Trim()}\n"))}\n{names}\n{Convert.ToHexStringLower(SHA256.HashData(body))}";
        var day = now.UtcDateTime.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var scope = $"{day}/{region}/{service}/aws4_request";
        var toSign = $"{Algorithm}\n{Timestamp(now)}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + credentials.SecretKey);
        foreach (var part in new[] { day, region, service, "aws4_request" })
        {
            var next = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
            CryptographicOperations.ZeroMemory(key);
            key = next;
        }

        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
        CryptographicOperations.ZeroMemory(key);
        return $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={names}, Signature={signature}";
    }

    /// <summary>The value of x-amz-date.</summary>
    public static string Timestamp(DateTimeOffset now) => now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
}
