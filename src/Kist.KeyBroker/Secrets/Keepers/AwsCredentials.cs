using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>An access key of AWS: from a file in the form of ~/.aws/credentials, or the variables that AWS's own tools read.</summary>
sealed record AwsCredentials(string AccessKey, string SecretKey, string? SessionToken)
{
    private const int MaxFileBytes = 64 * 1024;

    /// <summary>Reads the credentials now in force: others may renew them at any time.</summary>
    /// <exception cref="OperationFailedException">There are none.</exception>
    public static AwsCredentials Read(string? file, string profile) => file is null ? FromEnvironment() : FromFile(file, profile);

    private static AwsCredentials FromEnvironment() =>
        Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID") is { Length: > 0 } access && Environment.GetEnvironmentVariable("AWS_SECRET_ACCESS_KEY") is { Length: > 0 } secret
            ? new AwsCredentials(access, secret, Environment.GetEnvironmentVariable("AWS_SESSION_TOKEN") is { Length: > 0 } token ? token : null)
            : throw new OperationFailedException(
                "find credentials for AWS", "environment", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set", "set them, or name a file: …?credentials-file=FILE");

    private static AwsCredentials FromFile(string file, string profile)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var inProfile = false;
        foreach (var line in SecretFiles.ReadText(file, MaxFileBytes, "read credentials for AWS").Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith('['))
                inProfile = line == $"[{profile}]";
            else if (inProfile && line.IndexOf('=') is > 0 and var at && line[0] is not ('#' or ';'))
                values[line[..at].TrimEnd()] = line[(at + 1)..].TrimStart();
        }

        return values.TryGetValue("aws_access_key_id", out var access) && values.TryGetValue("aws_secret_access_key", out var secret)
            ? new AwsCredentials(access, secret, values.GetValueOrDefault("aws_session_token"))
            : throw new OperationFailedException("read credentials for AWS", file, $"profile {profile} has no aws_access_key_id and aws_secret_access_key");
    }

    /// <summary>The secret is not shown.</summary>
    public override string ToString() => $"{AccessKey} …";
}
