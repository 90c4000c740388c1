using System.Globalization;
using System.Text;
using Kist.KeyBroker.Protocol;

namespace Kist.Cli.Commands.Broker;

/// <summary>How the broker's documents are printed.</summary>
static class Output
{
    public static void Json<T>(T document)
        where T : class => Console.Out.WriteLine(Encoding.UTF8.GetString(KbsJson.Write(document)));

    public static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A path, or "-" for the other end of a pipe.</summary>
    public static async Task<byte[]> ReadAsync(string path, int limit, CancellationToken cancellationToken)
    {
        var stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
        await using (stream)
        {
            using var buffer = new MemoryStream();
            var chunk = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(chunk, cancellationToken)) > 0)
            {
                if (buffer.Length + read > limit)
                    throw new Formats.OperationFailedException("read", path, $"it is larger than the limit of {limit} bytes");
                buffer.Write(chunk, 0, read);
            }

            return buffer.ToArray();
        }
    }
}
