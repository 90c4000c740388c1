using System.CommandLine;
using Kist.Cli.Commands.Policy;
using Kist.Formats;
using Kist.Host;

namespace Kist.Cli.Commands.Containers;

/// <summary><c>kist run</c>: as docker run, in an attested virtual machine of its own.</summary>
sealed class RunCommand
{
    private readonly Argument<string?> _image = new("IMAGE") { Description = "Image reference, such as 127.0.0.1:5000/demo:latest", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string[]> _arguments = new("ARG")
    {
        Description = "Program and arguments, in place of the image's command",
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
    };

    private readonly Option<string[]> _files = new("--file", "-f") { Description = "Run a pod of several containers, as a Kubernetes manifest describes it (with the ConfigMaps and Secrets that it uses); - for standard input", HelpName = "FILE" };
    private readonly Option<string[]> _publish = new("--publish", "-p") { Description = "Carry connections to a port of this machine into the pod: [[ADDRESS:]PORT:]PORT; the address is 127.0.0.1 unless given", HelpName = "PORT" };
    private readonly Option<int[]> _ports = new("--allow-port") { Description = "Port of the pod's programs that this machine may connect to later (kist port-forward)", HelpName = "PORT" };
    private readonly Option<string[]> _exec = new("--allow-exec") { Description = "Command that this machine may run with kist exec: [CONTAINER:]COMMAND, words in quotes as in a shell", HelpName = "COMMAND" };
    private readonly Option<bool> _execAny = new("--allow-exec-any") { Description = "Let this machine run anything in the containers with kist exec: whoever owns it can then read all that they have" };
    private readonly Option<string> _restart = new("--restart") { Description = "When to start the container again: no, on-failure[:N], always, unless-stopped", DefaultValueFactory = _ => "no" };
    private readonly Option<string[]> _environment = new("--env", "-e") { Description = "Environment variable NAME=value, or NAME to pass on one's own" };
    private readonly Option<string?> _workdir = new("--workdir", "-w") { Description = "Working directory in the container" };
    private readonly Option<string?> _user = new("--user", "-u") { Description = "User, as name or uid, and group: USER[:GROUP]" };
    private readonly Option<string?> _entrypoint = new("--entrypoint") { Description = "Program in place of the image's entry point" };
    private readonly Option<string?> _name = new("--name") { Description = "Name of the container" };
    private readonly Option<bool> _remove = new("--rm") { Description = "Remove the container once it has ended" };
    private readonly Option<bool> _detach = new("--detach", "-d") { Description = "Run in the background and print the container's identifier" };
    private readonly Option<bool> _interactive = new("--interactive", "-i") { Description = "Pass standard input to the container" };
    private readonly Option<bool> _terminal = new("--tty", "-t") { Description = "Give the container a terminal" };
    private readonly Option<bool> _readOnly = new("--read-only") { Description = "Mount the root file system read-only" };
    private readonly Option<string?> _memory = new("--memory", "-m") { Description = "Memory limit of the container, such as 64m" };
    private readonly Option<string?> _machineMemory = new("--machine-memory") { Description = "Memory of the virtual machine (default: by the image's size)" };
    private readonly Option<double> _cpus = new("--cpus") { Description = "Processors, such as 1 or 0.5", DefaultValueFactory = _ => 1 };
    private readonly Option<string[]> _resources = new("--allow-resource") { Description = "Secret of the broker that a container may fetch from 127.0.0.1:8006: [CONTAINER=]kbs:///REPOSITORY/TYPE/TAG", HelpName = "URI" };
    private readonly Option<string[]> _keys = new("--allow-key") { Description = "Key of the broker by which the guest unwraps image keys for a container (key provider): [CONTAINER=]kbs:///REPOSITORY/TYPE/TAG", HelpName = "URI" };
    private readonly Option<string[]> _services = new("--allow-service") { Description = "Service of the guest that a container may use: [CONTAINER=]evidence, token or event-log", HelpName = "NAME" };
    private readonly Option<string[]> _volumes = new("--volume", "-v") { Description = "Files of this host, pinned by digest and read-only: FILE-OR-DIR:PATH", HelpName = "VOLUME" };
    private readonly Option<string[]> _tmpfs = new("--tmpfs") { Description = "Scratch in the guest's memory: PATH[:SIZE]", HelpName = "PATH" };
    private readonly Option<string[]> _scratch = new("--scratch") { Description = "Scratch on a disk of this host, encrypted under a key that never leaves the guest: PATH:SIZE", HelpName = "PATH:SIZE" };
    private readonly Option<string[]> _blocks = new("--block") { Description = "A file of this host as a volume that outlives the guest, encrypted and authenticated under a key of the broker: FILE:PATH:kbs:///…[:format|:ro]", HelpName = "VOLUME" };
    private readonly Option<bool> _clusterSecrets = new("--allow-cluster-secrets") { Description = "Allow Secrets in the clear in manifests: whoever owns this machine reads them" };
    private readonly Option<string?> _writable = new("--writable") { Description = "Where changes to the root file system are kept: SIZE of an encrypted disk of this host (default 4g for sealed images), or memory", HelpName = "SIZE" };
    private readonly Option<string?> _learn = new("--learn") { Description = "Allow everything, and write what was asked to this file, for kist policy learn; simulated platforms only", HelpName = "FILE" };
    private readonly Option<bool> _allowPlain = new("--allow-plain-image") { Description = "Run the image although a layer of it is not encrypted" };
    private readonly Option<BlobFetch> _fetch = new("--fetch") { Description = "How a sealed image is fetched: prefetch (while the guest boots), lazy (only what it reads), eager (all before)" };
    private readonly Option<string?> _author = new("--author") { Description = "Public key (PEM) of who must have signed the sealed image", HelpName = "FILE" };
    private readonly Option<long> _minimumRevision = new("--minimum-revision") { Description = "Refuse a sealed image of an older revision", HelpName = "N" };
    private readonly Option<string?> _imagePolicy = new("--image-policy") { Description = "Signature policy (policy.json) that the guest judges the image by: FILE, or kbs:///… at the broker" };
    private readonly Option<string?> _sigstore = new("--sigstore-config") { Description = "Where simple signatures are kept (registries.d): FILE, or kbs:///…" };
    private readonly Option<string?> _credentials = new("--registry-auth") { Description = "The guest's credentials for the registry (auth.json) at the broker: kbs:///…" };
    private readonly Option<string?> _registries = new("--registries-conf") { Description = "Mirrors and blocked registries for the guest (registries.conf) at the broker: kbs:///…" };
    private readonly Option<string[]> _authorities = new("--registry-ca") { Description = "File with the certificate (PEM) of an authority that may vouch for the registry; the guest knows no others" };
    private readonly Option<string[]> _registryHosts = new("--registry-host") { Description = "Another host that the registry may send to, for tokens or blobs: NAME or *.NAME", HelpName = "NAME" };
    private readonly Option<int> _startTimeout = new("--start-timeout") { Description = "Seconds until the program must run", DefaultValueFactory = _ => 180 };
    private readonly Option<bool> _verbose = new("--verbose") { Description = "Say each step on standard error" };
    private readonly Option<string?> _state = StateOption.Create();

    public static Command Create() => new RunCommand().Build();

    private Command Build()
    {
        var command = new Command("run", "Run an image in an attested virtual machine; exits with the container's exit code")
        {
            _image, _arguments, _files, _publish, _ports, _exec, _execAny, _restart, _clusterSecrets, _blocks, _environment, _workdir, _user, _entrypoint, _name, _remove, _detach, _interactive, _terminal,
            _readOnly, _memory, _machineMemory, _cpus, _volumes, _tmpfs, _scratch, _writable, _resources, _keys, _services, _learn, _allowPlain, _fetch, _author, _minimumRevision,
            _imagePolicy, _sigstore, _credentials, _registries, _authorities, _registryHosts, _startTimeout, _verbose, _state,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        try
        {
            var request = ReadRequest(parse);
            var store = parse.OpenContainers(_state);
            var folder = store.Create(new ContainerRecord
            {
                Id = "",
                Name = parse.GetValue(_name) is { } name ? ContainerName.Require(name) : ContainerName.Random(),
                Image = request.Image,
                Arguments = request.Arguments,
                Created = default,
                AutoRemove = parse.GetValue(_remove),
                Detached = parse.GetValue(_detach),
            });
            if (parse.GetValue(_detach))
            {
                await DetachedSupervisor.StartAsync(parse.Open(_state), folder, request, cancellationToken);
                Console.Out.WriteLine(folder.Record.Id);
                return ExitCode.Success;
            }

            return await ForegroundRun.RunAsync(parse.Open(_state), folder, request, parse.GetValue(_verbose), cancellationToken);
        }
        catch (Exception e) when (e is OperationFailedException or MalformedDataException or IOException or OperationCanceledException)
        {
            Failure.Print(e);
            return FailureKind.ExitCodeOf(e);
        }
    }

    private RunRequest ReadRequest(ParseResult parse)
    {
        var cpus = parse.GetValue(_cpus);
        if (cpus is not (> 0 and <= 64))
            throw new OperationFailedException("read --cpus", $"{cpus}", "it must be more than 0 and at most 64");
        return new RunRequest
        {
            Image = ImageOf(parse),
            Manifests = [.. (parse.GetValue(_files) ?? []).Select(ReadManifest)],
            Arguments = parse.GetValue(_arguments) ?? [],
            Published = [.. (parse.GetValue(_publish) ?? []).Select(PublishedPort.Parse)],
            AllowedPorts = parse.GetValue(_ports) ?? [],
            ExecCommands = [.. (parse.GetValue(_exec) ?? []).Select(GrantArguments.Exec)],
            AllowExec = parse.GetValue(_execAny),
            Restart = RestartRule.Parse(parse.GetValue(_restart)!),
            AllowClusterSecrets = parse.GetValue(_clusterSecrets),
            Entrypoint = parse.GetValue(_entrypoint),
            Environment = [.. (parse.GetValue(_environment) ?? []).Select(PassOn).OfType<string>()],
            WorkingDirectory = parse.GetValue(_workdir) ?? "",
            User = parse.GetValue(_user) ?? "",
            Interactive = parse.GetValue(_interactive),
            Terminal = parse.GetValue(_terminal),
            ReadOnly = parse.GetValue(_readOnly),
            MemoryLimitBytes = parse.GetValue(_memory) is { } memory ? MemorySize.Parse(memory) : 0,
            MachineMemoryBytes = parse.GetValue(_machineMemory) is { } machine ? MemorySize.Parse(machine) : 0,
            CpuMillis = cpus == Math.Floor(cpus) ? 0 : (int)(cpus * 1000),
            VirtualCpus = (int)Math.Ceiling(cpus),
            Volumes = [.. (parse.GetValue(_volumes) ?? []).Select(VolumeArguments.ReadFiles), .. (parse.GetValue(_tmpfs) ?? []).Select(VolumeArguments.ReadMemory), .. (parse.GetValue(_scratch) ?? []).Select(VolumeArguments.ReadDisk), .. (parse.GetValue(_blocks) ?? []).Select(VolumeArguments.ReadBlock)],
            Services =
            [
                .. (parse.GetValue(_resources) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfResource)),
                .. (parse.GetValue(_keys) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfKeyProvider)),
                .. (parse.GetValue(_services) ?? []).Select(r => GrantArguments.Service(r, PinnedService.OfName)),
            ],
            LearnFile = parse.GetValue(_learn) is { } learn ? Path.GetFullPath(learn) : null,
            WritableBytes = parse.GetValue(_writable) is { } writable ? VolumeArguments.ReadWritable(writable) : null,
            AllowPlainImage = parse.GetValue(_allowPlain),
            Fetch = parse.GetValue(_fetch),
            Author = parse.GetValue(_author) is { } author ? Image.AuthorKey.ReadThumbprint(author) : "",
            MinimumRevision = parse.GetValue(_minimumRevision),
            Images = new ImageDemands
            {
                SignaturePolicy = ReadUnlessAtBroker(parse.GetValue(_imagePolicy)),
                SigstoreConfiguration = ReadUnlessAtBroker(parse.GetValue(_sigstore)),
                Credentials = parse.GetValue(_credentials),
                RegistryConfiguration = parse.GetValue(_registries),
                RegistryHosts = parse.GetValue(_registryHosts) ?? [],
                AuthoritiesPem = [.. (parse.GetValue(_authorities) ?? []).Select(File.ReadAllText)],
            },
            StartTimeout = TimeSpan.FromSeconds(Math.Clamp(parse.GetValue(_startTimeout), 1, 3600)),
        };
    }

    /// <summary>What a pod of a manifest takes from the manifest alone.</summary>
    private string ImageOf(ParseResult parse)
    {
        var (image, files) = (parse.GetValue(_image), parse.GetValue(_files) ?? []);
        if (files.Length == 0)
            return image ?? throw new OperationFailedException("run", "IMAGE", "there is neither an image nor a manifest", "kist run IMAGE, or kist run -f pod.yaml");
        Option[] single =
        [
            _environment, _workdir, _user, _entrypoint, _interactive, _terminal, _readOnly, _memory, _volumes, _tmpfs, _scratch, _blocks, _restart, _author, _minimumRevision,
        ];
        var misplaced = single.FirstOrDefault(o => parse.GetResult(o) is { Implicit: false });
        if (image is not null || misplaced is not null)
            throw new OperationFailedException("run", misplaced?.Name ?? image!, "the manifest says it for each container", "write it into the manifest");
        return string.Join(',', files.Select(Path.GetFileName));
    }

    private static RunManifest ReadManifest(string file) => file == "-"
        ? new RunManifest("(standard input)", Console.In.ReadToEnd())
        : new RunManifest(file, PolicyFiles.ReadText(file));

    private static string? ReadUnlessAtBroker(string? value) =>
        value is null || value.StartsWith("kbs:///", StringComparison.Ordinal) ? value : File.ReadAllText(value);

    /// <summary>As docker: a bare name takes the value that it has here, and nothing if it has none.</summary>
    private static string? PassOn(string entry)
    {
        if (entry.Contains('='))
            return entry;
        return Environment.GetEnvironmentVariable(entry) is { } value ? $"{entry}={value}" : null;
    }
}
