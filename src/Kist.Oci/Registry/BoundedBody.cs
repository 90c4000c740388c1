using Kist.Formats;

namespace Kist.Oci;

/// <summary>Reads the body of an answer that must be small.</summary>
static class BoundedBody
{
    public static async Task<byte[]> ReadAsync(HttpContent content, int limit, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > limit)
            throw new MalformedDataException("registry's answer", -1, $"{content.Headers.ContentLength} bytes, more than the limit of {limit}");
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var result = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int count;
            while ((count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (result.Length + count > limit)
                    throw new MalformedDataException("registry's answer", -1, $"more than the limit of {limit} bytes");
                result.Write(buffer, 0, count);
            }

            return result.ToArray();
        }
    }
}
