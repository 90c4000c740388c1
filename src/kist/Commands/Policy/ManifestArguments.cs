using System.CommandLine;
using Kist.Cli.Commands.Image;
using Kist.Formats;
using Kist.Host;
using Kist.Kubernetes;

namespace Kist.Cli.Commands.Policy;

/// <summary>The options that say which manifests, which images, and what is allowed beyond what they say.</summary>
sealed class ManifestArguments
{
    private readonly Option<string[]> _files = new("--file", "-f") { Description = "Manifest (YAML or JSON), or - for standard input; may be given several times", Required = true, HelpName = "FILE" };
    private readonly Option<string[]> _images = new("--image") { Description = "Where an image is: REF=sha256:…, that manifest; REF=oci:DIR[:TAG], a layout instead of the registry; or REF=sealed:IMAGE=oci:DIR[:TAG], the sealed image that runs in its stead and what it was sealed from", HelpName = "REF=PIN" };
    private readonly Option<string> _namespace = new("--namespace", "-n") { Description = "Namespace of objects that name none", DefaultValueFactory = _ => "default" };
    private readonly Option<string[]> _exec = new("--allow-exec") { Description = "Command that the cluster may run in containers: [CONTAINER:]COMMAND, words in quotes as in a shell", HelpName = "COMMAND" };
    private readonly Option<string[]> _resources = new("--allow-resource") { Description = "Secret of the broker that a container may fetch: [CONTAINER=]kbs:///REPOSITORY/TYPE/TAG", HelpName = "URI" };
    private readonly Option<string[]> _keys = new("--allow-key") { Description = "Key of the broker by which the guest unwraps image keys for a container (key provider): [CONTAINER=]kbs:///REPOSITORY/TYPE/TAG", HelpName = "URI" };
    private readonly Option<string[]> _services = new("--allow-service") { Description = "Guest service that a container may use: [CONTAINER=]evidence, token or event-log", HelpName = "NAME" };
    private readonly Option<int[]> _ports = new("--allow-port") { Description = "Port of the pod's programs that the host may connect to", HelpName = "PORT" };
    private readonly Option<bool> _logs = new("--allow-logs") { Description = "Let the cluster read what containers print (kubectl logs)" };
    private readonly Option<bool> _attach = new("--allow-attach") { Description = "Let the cluster write standard input of containers with stdin: true" };
    private readonly Option<bool> _plain = new("--allow-plain-images") { Description = "Allow images with a layer that is not encrypted" };
    private readonly Option<bool> _secrets = new("--allow-cluster-secrets") { Description = "Allow Secrets that the cluster can read" };
    private readonly Option<bool> _account = new("--allow-service-account-token") { Description = "Allow files whose content the cluster chooses" };
    private readonly RegistryArguments _registry = new();

    public Command AddTo(Command command)
    {
        foreach (var option in (Option[])[_files, _images, _namespace, _exec, _resources, _keys, _services, _ports, _logs, _attach, _plain, _secrets, _account])
            command.Add(option);
        _registry.AddTo(command);
        return command;
    }

    public ManifestSet ReadManifests(ParseResult parse, ManifestReview review)
    {
        var set = new ManifestSet();
        foreach (var file in parse.GetValue(_files) ?? [])
            set.Add(file == "-" ? Console.In.ReadToEnd() : PolicyFiles.ReadText(file), file == "-" ? "(standard input)" : file, review);
        return set;
    }

    public ImageResolver Images(ParseResult parse) => new(
        (parse.GetValue(_images) ?? []).Select(i => GrantArguments.Split(i, "--image")).ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal), _registry.Read(parse));

    public GenerateOptions Read(ParseResult parse) => new()
    {
        Namespace = parse.GetValue(_namespace)!,
        Exec = [.. (parse.GetValue(_exec) ?? []).Select(GrantArguments.Exec)],
        Services =
        [
            .. (parse.GetValue(_resources) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfResource)),
            .. (parse.GetValue(_keys) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfKeyProvider)),
            .. (parse.GetValue(_services) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfName)),
        ],
        Ports = parse.GetValue(_ports) ?? [],
        AllowLogs = parse.GetValue(_logs),
        AllowAttach = parse.GetValue(_attach),
        AllowPlainImages = parse.GetValue(_plain),
        AllowClusterSecrets = parse.GetValue(_secrets),
        AllowServiceAccountToken = parse.GetValue(_account),
    };

    /// <summary>Says what there is to say of the manifests on standard error.</summary>
    public static void Print(ManifestReview review)
    {
        foreach (var remark in review.Remarks)
        {
            if (remark.IsRefusal)
                Terminal.Error($"{remark.Place}: {remark.Reason}");
            else
                Terminal.Note($"warning: {remark.Place}: {remark.Reason}");
            if (remark.Hint is { } hint)
                Terminal.Hint(hint);
        }
    }
}
